//! What the template says about costs.

use yaml_serde::Value;

use super::usage::{Item, Usage};
use crate::support;
use crate::wiring::lists::{self, Deployed};

/// How many metrics of our own (shared/src/metrics) a stack without traffic sends: `Runs` of its
/// two scheduled functions, and `OrdersStuck`.
const IDLE_METRICS: f64 = 3.0;

/// The parts of the template that are billed.
pub struct Template {
    pub functions: Vec<Deployed>,
    /// Whether functions send traces to X-Ray.
    pub traces: bool,
    template: Value,
}

impl Template {
    pub fn read() -> Self {
        let template = support::template();
        let traces = template["Globals"]["Function"]["Tracing"] == "Active";
        Self { functions: lists::template(), traces, template }
    }

    /// The function with this name.
    pub fn function(&self, name: &str) -> &Deployed {
        let function = self.functions.iter().find(|function| function.name == name);
        function.unwrap_or_else(|| panic!("{name} is not in the template"))
    }

    /// What is billed for a month even when nothing is invoked.
    pub fn fixed(&self) -> Usage {
        let of = |kind: &str| support::resources(&self.template, kind);
        let count = |kind: &str| of(kind).len() as f64;
        let alarms = of("AWS::CloudWatch::Alarm");
        let watched: usize = alarms.iter().map(|(_, alarm)| watched_metrics(alarm)).sum();
        Usage::of([
            (Item::CustomMetrics, IDLE_METRICS),
            (Item::AlarmMetrics, watched as f64),
            (Item::Dashboards, count("AWS::CloudWatch::Dashboard")),
            (Item::Secrets, count("AWS::SecretsManager::Secret")),
        ])
    }
}

/// How often a function's schedules invoke it.
pub fn runs_per_hour(function: &Deployed) -> f64 {
    function.schedules.iter().map(|schedule| rate_per_hour(schedule)).sum()
}

/// The runs per hour of `rate(5 minutes)`.
fn rate_per_hour(schedule: &str) -> f64 {
    let rate = schedule.strip_prefix("rate(").and_then(|rate| rate.strip_suffix(')'));
    let (number, unit) = rate.and_then(|rate| rate.split_once(' ')).expect("a rate");
    let minutes = match unit.trim_end_matches('s') {
        "minute" => 1.0,
        "hour" => 60.0,
        "day" => 24.0 * 60.0,
        other => panic!("{other} is not a unit of a rate"),
    };
    60.0 / (number.parse::<f64>().expect("a number") * minutes)
}

/// How many metrics an alarm watches: one, or those of its expression.
fn watched_metrics(alarm: &Value) -> usize {
    match alarm["Metrics"].as_sequence() {
        Some(metrics) => metrics.iter().filter(|m| !m["MetricStat"].is_null()).count(),
        None => 1,
    }
}
