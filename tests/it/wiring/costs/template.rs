//! What the template says about costs.

use std::collections::BTreeMap;

use yaml_serde::{Mapping, Value};

use super::usage::{Item, Usage};
use crate::wiring::read;

/// How many metrics of our own (shared/src/metrics) a stack without traffic sends: `Runs` of its
/// two scheduled functions, and `OrdersStuck`.
const IDLE_METRICS: f64 = 3.0;

/// A function of the template.
pub struct Function {
    pub memory_mb: f64,
    /// Whether the HTTP API invokes it.
    pub serves_http: bool,
    /// How often its schedules invoke it.
    pub runs_per_hour: f64,
}

/// The parts of the template that are billed.
pub struct Template {
    pub functions: BTreeMap<String, Function>,
    /// Whether functions send traces to X-Ray.
    pub traces: bool,
    resources: Vec<Value>,
}

impl Template {
    pub fn read() -> Self {
        let template: Value = yaml_serde::from_str(&read("template.yaml")).unwrap();
        let globals = &template["Globals"]["Function"];
        let resources: Vec<_> =
            template["Resources"].as_mapping().unwrap().values().cloned().collect();
        let functions = resources.iter().filter(|r| r["Type"] == "AWS::Serverless::Function");
        let functions = functions.map(|f| Function::read(&f["Properties"], globals));
        Self { functions: functions.collect(), traces: globals["Tracing"] == "Active", resources }
    }

    /// The function with this name.
    pub fn function(&self, name: &str) -> &Function {
        self.functions.get(name).unwrap_or_else(|| panic!("{name} is not in the template"))
    }

    /// What is billed for a month even when nothing is invoked.
    pub fn fixed(&self) -> Usage {
        let count = |kind: &str| self.of(kind).count() as f64;
        let alarms = self.of("AWS::CloudWatch::Alarm");
        Usage::of([
            (Item::CustomMetrics, IDLE_METRICS),
            (Item::AlarmMetrics, alarms.map(watched_metrics).sum::<usize>() as f64),
            (Item::Dashboards, count("AWS::CloudWatch::Dashboard")),
            (Item::Secrets, count("AWS::SecretsManager::Secret")),
        ])
    }

    /// The properties of the resources of a type.
    fn of(&self, kind: &str) -> impl Iterator<Item = &Value> {
        let resources = self.resources.iter().filter(move |resource| resource["Type"] == kind);
        resources.map(|resource| &resource["Properties"])
    }
}

impl Function {
    /// A function's name and its description, from its properties.
    fn read(properties: &Value, globals: &Value) -> (String, Self) {
        let name =
            properties["CodeUri"].as_str().unwrap().rsplit('/').find(|part| !part.is_empty());
        let events = properties["Events"].as_mapping().into_iter().flat_map(Mapping::values);
        let events: Vec<_> = events.collect();
        let memory = properties["MemorySize"].as_f64().or(globals["MemorySize"].as_f64());
        let schedules = events.iter().filter(|event| event["Type"] == "Schedule");
        let schedules = schedules.map(|event| event["Properties"]["Schedule"].as_str().unwrap());
        let function = Self {
            memory_mb: memory.expect("Globals has a MemorySize"),
            serves_http: events.iter().any(|event| event["Type"] == "HttpApi"),
            runs_per_hour: schedules.map(runs_per_hour).sum(),
        };
        (name.expect("a folder").to_owned(), function)
    }
}

/// The runs per hour of `rate(5 minutes)`.
fn runs_per_hour(schedule: &str) -> f64 {
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
