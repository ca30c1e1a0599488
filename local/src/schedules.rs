//! Schedules: `rate(...)` and `cron(...)` of the template, in UTC.
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html>

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::invoke::Invoke;
use crate::log::Log;
use crate::model::{Function, Project, Schedule};

/// The running schedules. They stop when this is dropped.
pub struct Schedules {
    _schedules: JoinSet<()>,
}

/// When a schedule fires.
#[derive(Debug)]
enum Expression {
    Rate(Duration),
    Cron(Box<Cron>),
}

impl Schedules {
    /// Starts the schedules of a project. A rate fires for the first time after its first period.
    ///
    /// # Errors
    ///
    /// When EventBridge would reject an expression. The message names the schedule.
    pub fn start(project: &Project, invoke: Arc<dyn Invoke>, log: Log) -> anyhow::Result<Self> {
        let mut schedules = JoinSet::new();
        for function in &project.functions {
            for schedule in &function.schedules {
                let expression = Expression::parse(&schedule.expression).with_context(|| {
                    format!("the schedule {} is malformed: {}", schedule.name, schedule.expression)
                })?;
                schedules.spawn(run(
                    expression,
                    function.clone(),
                    schedule.clone(),
                    invoke.clone(),
                    log.clone(),
                ));
            }
        }
        Ok(Self { _schedules: schedules })
    }
}

/// Fires whenever the schedule is due. As on AWS, a slow run doesn't delay the next one.
async fn run(
    expression: Expression,
    function: Function,
    schedule: Schedule,
    invoke: Arc<dyn Invoke>,
    log: Log,
) {
    let mut runs = JoinSet::new();
    let mut last = Timestamp::now();
    while let Some(next) = expression.next(last) {
        sleep_until(next).await;
        // Runs that were missed while the machine slept are skipped.
        last = next.max(Timestamp::now());
        while runs.try_join_next().is_some() {}
        runs.spawn(fire(next, function.clone(), schedule.clone(), invoke.clone(), log.clone()));
    }
    log.line("schedule", None, &format!("{} will not fire again", schedule.name));
    while runs.join_next().await.is_some() {}
}

/// Sleeps until a time of the wall clock. A single long timer wouldn't do, because timers stop
/// while a laptop sleeps.
async fn sleep_until(time: Timestamp) {
    while let Ok(left) = Duration::try_from(time.duration_since(Timestamp::now()))
        && !left.is_zero()
    {
        tokio::time::sleep(left.min(Duration::from_secs(30))).await;
    }
}

async fn fire(
    time: Timestamp,
    function: Function,
    schedule: Schedule,
    invoke: Arc<dyn Invoke>,
    log: Log,
) {
    let payload = schedule.input.clone().unwrap_or_else(|| event(&function, &schedule, time));
    let failure = match invoke.invoke(&function.name, Bytes::from(payload.to_string())).await {
        Ok(invocation) if invocation.error.is_none() => return,
        Ok(invocation) => {
            let error: Value = serde_json::from_slice(&invocation.payload).unwrap_or_default();
            error["errorMessage"].as_str().unwrap_or("no error message").to_owned()
        }
        Err(error) => error.to_string(),
    };
    log.line("schedule", None, &format!("{}: {} failed: {failure}", schedule.name, function.name));
}

/// Returns EventBridge's scheduled event.
fn event(function: &Function, schedule: &Schedule, time: Timestamp) -> Value {
    let mut arn = function.arn.split(':').skip(3);
    let (region, account) = (arn.next().unwrap_or_default(), arn.next().unwrap_or_default());
    let rule = schedule.name.replace('/', "-");
    json!({
        "version": "0",
        "id": Uuid::now_v7().to_string(),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": account,
        "time": format!("{time:.0}"),
        "region": region,
        "resources": [format!("arn:aws:events:{region}:{account}:rule/{rule}")],
        "detail": {},
    })
}

impl Expression {
    fn parse(expression: &str) -> anyhow::Result<Self> {
        let arguments_of =
            |kind: &str| expression.trim().strip_prefix(kind)?.strip_prefix('(')?.strip_suffix(')');
        if let Some(rate) = arguments_of("rate") {
            return parse_rate(rate).map(Self::Rate);
        }
        if let Some(cron) = arguments_of("cron") {
            return parse_cron(cron).map(|cron| Self::Cron(Box::new(cron)));
        }
        bail!("a schedule must be rate(...) or cron(...)")
    }

    /// Returns the next time after `last`, or `None` if the schedule won't fire again.
    fn next(&self, last: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Rate(period) => last.checked_add(*period).ok(),
            Self::Cron(cron) => {
                let last: DateTime<Utc> = DateTime::from_timestamp(last.as_second(), 0)?;
                let next = cron.find_next_occurrence(&last, false).ok()?;
                Timestamp::from_second(next.timestamp()).ok()
            }
        }
    }
}

/// Parses a rate such as `5 minutes`. As on AWS, the unit must be singular if the value is 1, and
/// plural otherwise.
fn parse_rate(rate: &str) -> anyhow::Result<Duration> {
    let mut parts = rate.split_whitespace();
    let (Some(value), Some(unit), None) = (parts.next(), parts.next(), parts.next()) else {
        bail!("a rate must be a value and a unit");
    };
    let value: u32 = value
        .parse()
        .ok()
        .filter(|v| *v > 0)
        .context("the value of a rate must be a positive number")?;
    let minutes = match (unit, value) {
        ("minute", 1) | ("minutes", 2..) => 1,
        ("hour", 1) | ("hours", 2..) => 60,
        ("day", 1) | ("days", 2..) => 24 * 60,
        _ => bail!(
            "the unit of a rate must be minute, hour or day for 1, and minutes, hours or days for more"
        ),
    };
    Ok(Duration::from_secs(u64::from(value) * minutes * 60))
}

/// Parses the fields minutes, hours, day of month, month, day of week (1-7 is SUN-SAT) and year.
fn parse_cron(cron: &str) -> anyhow::Result<Cron> {
    let fields: Vec<String> = cron.split_whitespace().map(str::to_uppercase).collect();
    let [minutes, hours, day_of_month, month, day_of_week, year] = fields.as_slice() else {
        bail!(
            "a cron expression must have six fields: minutes, hours, day of month, month, \
             day of week, year"
        );
    };
    ensure!(
        (day_of_month == "?") != (day_of_week == "?"),
        "exactly one of day of month and day of week must be ?"
    );
    ensure!(
        day_of_week.split([',', '-', '#', '/']).all(|day| day.trim_end_matches('L') != "0"),
        "days of the week must be 1 to 7"
    );
    let hours = split_wrapping_ranges(hours, 0, 23);
    let month = split_wrapping_ranges(&with_numbers(month, &MONTHS), 1, 12);
    // `L` alone means the last day of the week, which is Saturday.
    let day_of_week = if day_of_week == "L" { "7" } else { day_of_week };
    let day_of_week = split_wrapping_ranges(&with_numbers(day_of_week, &DAYS), 1, 7);
    let parser = CronParser::builder()
        .seconds(Seconds::Required)
        .year(Year::Required)
        .alternative_weekdays(true)
        // AWS's own examples write steps as `0/15`.
        .sloppy_ranges(true)
        .build();
    Ok(parser.parse(&format!("0 {minutes} {hours} {day_of_month} {month} {day_of_week} {year}"))?)
}

const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// Replaces the names in a field with their numbers, counted from 1.
fn with_numbers(field: &str, names: &[&str]) -> String {
    (1..)
        .zip(names)
        .fold(field.to_owned(), |field, (number, name)| field.replace(name, &number.to_string()))
}

/// Splits each range that wraps around the end of its field into two, as croner requires: for
/// hours, `20-2` becomes `20-23,0-2`.
fn split_wrapping_ranges(field: &str, min: u8, max: u8) -> String {
    let split = |part: &str| {
        let (from, to) = part.split_once('-')?;
        let (from, to): (u8, u8) = (from.parse().ok()?, to.parse().ok()?);
        (from > to).then(|| format!("{from}-{max},{min}-{to}"))
    };
    field
        .split(',')
        .map(|part| split(part).unwrap_or_else(|| part.to_owned()))
        .collect::<Vec<_>>()
        .join(",")
}

#[cfg(test)]
mod tests;
