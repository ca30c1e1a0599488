use futures::future::BoxFuture;
use tokio::sync::mpsc;

use super::*;
use crate::invoke::{FunctionError, Invocation, InvokeError};
use crate::testing;

/// Returns the first `count` times at which the schedule fires after the time `after`.
fn times(expression: &str, after: &str, count: usize) -> Vec<String> {
    let expression =
        Expression::parse(expression).unwrap_or_else(|e| panic!("{expression}: {e:#}"));
    let mut last: Timestamp = after.parse().unwrap();
    let mut times = Vec::new();
    while let Some(next) = expression.next(last).filter(|_| times.len() < count) {
        times.push(next.to_string());
        last = next;
    }
    times
}

fn is_rejected(expression: &str) -> bool {
    Expression::parse(expression).is_err()
}

#[test]
fn the_examples_of_aws_fire_at_the_documented_times() {
    // A Wednesday.
    // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
    let from = "2025-01-01T00:00:00Z";
    for (expression, expected) in [
        // "10:00 AM (UTC+0) every day"
        (
            "cron(0 10 * * ? *)",
            ["2025-01-01T10:00:00Z", "2025-01-02T10:00:00Z", "2025-01-03T10:00:00Z"],
        ),
        // "12:15 PM (UTC+0) every day"
        (
            "cron(15 12 * * ? *)",
            ["2025-01-01T12:15:00Z", "2025-01-02T12:15:00Z", "2025-01-03T12:15:00Z"],
        ),
        // "6:00 PM (UTC+0) every Monday through Friday"
        (
            "cron(0 18 ? * MON-FRI *)",
            ["2025-01-01T18:00:00Z", "2025-01-02T18:00:00Z", "2025-01-03T18:00:00Z"],
        ),
        // "8:00 AM (UTC+0) on the first day of the month"
        (
            "cron(0 8 1 * ? *)",
            ["2025-01-01T08:00:00Z", "2025-02-01T08:00:00Z", "2025-03-01T08:00:00Z"],
        ),
        // "Every 15 minutes"
        (
            "cron(0/15 * * * ? *)",
            ["2025-01-01T00:15:00Z", "2025-01-01T00:30:00Z", "2025-01-01T00:45:00Z"],
        ),
        // "Every 10 minutes, Monday through Friday"
        (
            "cron(0/10 * ? * MON-FRI *)",
            ["2025-01-01T00:10:00Z", "2025-01-01T00:20:00Z", "2025-01-01T00:30:00Z"],
        ),
        // "Every 5 minutes, Monday through Friday, between 8:00 AM and 5:55 PM (UTC+0)"
        (
            "cron(0/5 8-17 ? * MON-FRI *)",
            ["2025-01-01T08:00:00Z", "2025-01-01T08:05:00Z", "2025-01-01T08:10:00Z"],
        ),
    ] {
        assert_eq!(times(expression, from, 3), expected, "{expression}");
    }
    assert_eq!(
        times("cron(0 18 ? * MON-FRI *)", "2025-01-03T18:00:00Z", 1),
        ["2025-01-06T18:00:00Z"]
    );
    assert_eq!(
        times("cron(0/5 8-17 ? * MON-FRI *)", "2025-01-03T17:55:00Z", 1),
        ["2025-01-06T08:00:00Z"]
    );
    // "Every 30 minutes Monday through Friday from 10:00 PM on the starting day until 2:00 AM on
    // the following day (UTC)"
    assert_eq!(
        times("cron(0/30 22-2 ? * MON-FRI *)", "2025-01-01T02:00:00Z", 3),
        ["2025-01-01T02:30:00Z", "2025-01-01T22:00:00Z", "2025-01-01T22:30:00Z"]
    );
}

#[test]
fn a_range_may_wrap_around_the_end() {
    // 2025-01-01 is a Wednesday.
    let from = "2025-01-01T00:00:00Z";
    assert_eq!(
        times("cron(0 0 ? * SAT-MON *)", from, 3),
        ["2025-01-04T00:00:00Z", "2025-01-05T00:00:00Z", "2025-01-06T00:00:00Z"]
    );
    assert_eq!(
        times("cron(0 0 1 NOV-JAN ? *)", from, 2),
        ["2025-11-01T00:00:00Z", "2025-12-01T00:00:00Z"]
    );
}

#[test]
fn days_of_the_week_are_numbered_from_sunday() {
    // 2025-06-01 is a Sunday.
    let from = "2025-05-31T23:59:00Z";
    for (day, name, date) in [("1", "SUN", 1), ("2", "MON", 2), ("6", "FRI", 6), ("7", "SAT", 7)] {
        let expected = [format!("2025-06-0{date}T00:00:00Z")];
        assert_eq!(times(&format!("cron(0 0 ? * {day} *)"), from, 1), expected);
        assert_eq!(times(&format!("cron(0 0 ? * {name} *)"), from, 1), expected);
    }
    assert_eq!(times("cron(0 0 ? * 2-6 *)", "2025-06-06T00:00:00Z", 1), ["2025-06-09T00:00:00Z"]);
    assert_eq!(times("cron(0 0 ? * L *)", from, 1), ["2025-06-07T00:00:00Z"]);
}

#[test]
fn the_wildcards_l_w_and_hash_are_supported() {
    // "The L wildcard in the day-of-month field specifies the last day of the month."
    assert_eq!(
        times("cron(0 0 L * ? *)", "2024-02-01T00:00:00Z", 2),
        ["2024-02-29T00:00:00Z", "2024-03-31T00:00:00Z"]
    );
    // "In the day-of-month field, 3W specifies the weekday closest to the third day of the month."
    // May 3, 2025 is a Saturday.
    assert_eq!(times("cron(0 0 3W * ? *)", "2025-05-01T00:00:00Z", 1), ["2025-05-02T00:00:00Z"]);
    // "3#2 would be the second Tuesday of the month: the 3 refers to Tuesday because it is the
    // third day of each week"
    assert_eq!(times("cron(0 0 ? * 3#2 *)", "2025-06-01T00:00:00Z", 1), ["2025-06-10T00:00:00Z"]);
    // The last Friday of the month.
    assert_eq!(times("cron(0 0 ? * 6L *)", "2025-06-01T00:00:00Z", 1), ["2025-06-27T00:00:00Z"]);
}

#[test]
fn years_months_and_lists_restrict_the_times() {
    // "cron(15 10 ? * 6L 2019-2022)": 10:15 on the last Friday of each month in the years 2019 to
    // 2022.
    assert_eq!(
        times("cron(15 10 ? * 6L 2019-2022)", "2022-11-01T00:00:00Z", 9),
        ["2022-11-25T10:15:00Z", "2022-12-30T10:15:00Z"]
    );
    assert_eq!(
        times("cron(0 0 1,15 JAN,Mar ? *)", "2025-01-02T00:00:00Z", 2),
        ["2025-01-15T00:00:00Z", "2025-03-01T00:00:00Z"]
    );
}

#[test]
fn a_rate_fires_after_each_period() {
    let from = "2025-01-01T00:00:00Z";
    assert_eq!(times("rate(1 minute)", from, 2), ["2025-01-01T00:01:00Z", "2025-01-01T00:02:00Z"]);
    assert_eq!(times("rate(5 minutes)", from, 1), ["2025-01-01T00:05:00Z"]);
    assert_eq!(times("rate(1 hour)", from, 1), ["2025-01-01T01:00:00Z"]);
    assert_eq!(times("rate(7 days)", from, 1), ["2025-01-08T00:00:00Z"]);
}

#[test]
fn expressions_that_eventbridge_rejects_are_rejected() {
    for expression in [
        "rate(1 minutes)",
        "rate(5 minute)",
        "rate(0 minutes)",
        "rate(5 seconds)",
        "rate(5)",
        "every 5 minutes",
        "cron(0 10 * * *)",
        "cron(0 10 * * * *)",
        "cron(0 10 ? * ? *)",
        "cron(0 10 1 * MON *)",
        "cron(0 10 ? * 0 *)",
        "cron(0 10 ? * 8 *)",
        "cron(61 10 * * ? *)",
        "cron(0 10 32 * ? *)",
    ] {
        assert!(is_rejected(expression), "{expression}");
    }
}

/// Sends the payload of each invocation to the test, and fails.
struct Fake(mpsc::UnboundedSender<(String, Value)>);

impl Invoke for Fake {
    fn invoke<'a>(
        &'a self,
        function: &'a str,
        payload: Bytes,
    ) -> BoxFuture<'a, Result<Invocation, InvokeError>> {
        Box::pin(async move {
            self.0.send((function.to_owned(), serde_json::from_slice(&payload).unwrap())).unwrap();
            Ok(Invocation { payload: Bytes::new(), error: Some(FunctionError::Unhandled) })
        })
    }
}

fn scheduled(input: Option<Value>) -> (Function, Schedule) {
    let schedule =
        Schedule { name: "timers-run/Every".into(), expression: "rate(1 minute)".into(), input };
    (testing::function("timers-run", Vec::new()), schedule)
}

#[tokio::test]
async fn a_schedule_fires_again_after_a_failure() {
    let (function, schedule) = scheduled(None);
    let (sender, mut fired) = mpsc::unbounded_channel();
    let rate = Expression::Rate(Duration::from_millis(50));
    let running =
        tokio::spawn(run(rate, function, schedule, Arc::new(Fake(sender)), Log::default()));
    for _ in 0..3 {
        let (function, event) =
            tokio::time::timeout(Duration::from_secs(20), fired.recv()).await.unwrap().unwrap();
        assert_eq!(function, "timers-run");
        assert_eq!(event["detail-type"], "Scheduled Event");
        assert_eq!(
            event["resources"],
            json!(["arn:aws:events:us-east-1:000000000000:rule/timers-run-Every"])
        );
        let time = event["time"].as_str().unwrap();
        assert!(time.len() == "2025-01-01T00:00:00Z".len() && time.ends_with('Z'), "{time}");
    }
    running.abort();
}

#[tokio::test]
async fn the_input_of_the_template_is_the_payload() {
    let (function, schedule) = scheduled(Some(json!({"kind": "expire"})));
    let (sender, mut fired) = mpsc::unbounded_channel();
    fire(Timestamp::now(), function, schedule, Arc::new(Fake(sender)), Log::default()).await;
    assert_eq!(fired.recv().await.unwrap().1, json!({"kind": "expire"}));
}

#[tokio::test]
async fn the_error_for_a_malformed_schedule_names_it() {
    let (mut function, mut schedule) = scheduled(None);
    schedule.expression = "rate(1 minutes)".into();
    function.schedules = vec![schedule];
    let project = Project { functions: vec![function], ..Project::default() };
    let (sender, _fired) = mpsc::unbounded_channel();
    let error = Schedules::start(&project, Arc::new(Fake(sender)), Log::default()).err().unwrap();
    let error = format!("{error:#}");
    assert!(error.contains("timers-run/Every") && error.contains("rate(1 minutes)"), "{error}");
}
