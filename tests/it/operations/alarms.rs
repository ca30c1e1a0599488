//! Checks the template's alarms. Every function that runs on a schedule or a stream has an alarm of
//! its own, because no caller would notice its failure. Each alarm watches a metric that exists,
//! and has a runbook.

use std::collections::BTreeSet;

use yaml_serde::Value;

use super::metrics;
use crate::support::{read, resources, template, workspace};

fn alarms() -> Vec<(String, Value)> {
    let alarms = resources(&template(), "AWS::CloudWatch::Alarm");
    assert!(alarms.len() > 10, "only {} alarms were read", alarms.len());
    alarms
}

/// The value of an alarm's dimension: its text, or the logical id that it refers to.
fn dimension(alarm: &Value, name: &str) -> Option<String> {
    let dimensions = alarm["Dimensions"].as_sequence()?;
    let found = dimensions.iter().find(|dimension| dimension["Name"] == name)?;
    match &found["Value"] {
        Value::Tagged(tagged) => tagged.value.as_str().map(str::to_owned),
        value => value.as_str().map(str::to_owned),
    }
}

#[test]
fn every_function_that_runs_on_a_schedule_or_a_stream_has_its_own_alarm() {
    let alarms = alarms();
    let (mut schedules, mut streams) = (0, 0);
    for (function, properties) in resources(&template(), "AWS::Serverless::Function") {
        let events =
            properties["Events"].as_mapping().into_iter().flat_map(|events| events.values());
        for event in events {
            let has_alarm = |metric: &str, name: &str, missing_data: &str| {
                alarms.iter().any(|(_, alarm)| {
                    alarm["MetricName"] == metric
                        && alarm["TreatMissingData"] == missing_data
                        && dimension(alarm, name).as_deref() == Some(function.as_str())
                })
            };
            match event["Type"].as_str().expect("a type") {
                // A function that does not run reports nothing, so missing data must raise the
                // alarm.
                "Schedule" | "ScheduleV2" => {
                    schedules += 1;
                    assert!(
                        has_alarm("Runs", "Function", "breaching"),
                        "{function}: no alarm for its runs"
                    );
                }
                "DynamoDB" => {
                    streams += 1;
                    let is_watched = has_alarm("IteratorAge", "FunctionName", "notBreaching");
                    assert!(is_watched, "{function}: no alarm for its iterator age");
                    let stream = &event["Properties"];
                    let queue = &stream["DestinationConfig"]["OnFailure"]["Destination"];
                    assert!(!queue.is_null(), "{function} loses records that it can't process");
                    let types = &stream["FunctionResponseTypes"];
                    assert_eq!(types[0], "ReportBatchItemFailures", "{function}");
                }
                "HttpApi" => {}
                other => panic!("{function}: which alarm does {other} need?"),
            }
        }
    }
    assert!(
        schedules >= 2 && streams >= 4,
        "{schedules} schedules and {streams} streams were read"
    );
}

#[test]
fn every_alarm_goes_to_the_topic_and_watches_a_metric_that_exists() {
    for (id, alarm) in alarms() {
        let text = |name: &str| alarm[name].as_str().unwrap_or_default().to_owned();
        assert!(!text("AlarmDescription").is_empty(), "{id} does not say what is wrong");
        let actions = yaml_serde::to_string(&alarm["AlarmActions"]).unwrap();
        assert!(actions.contains("AlarmTopic"), "{id} tells nobody: {actions}");
        let names: Vec<_> = alarm["Dimensions"].as_sequence().into_iter().flatten().collect();
        let names: Vec<_> = names.iter().map(|d| d["Name"].as_str().unwrap_or_default()).collect();
        let (namespace, metric) = (text("Namespace"), text("MetricName"));
        assert!(exists(&namespace, &metric, &names), "{id}: no {namespace} {metric} by {names:?}");
    }
}

/// The metrics of AWS that the template may use: namespace, dimensions, names.
const AWS_METRICS: &[(&str, &[&str], &[&str])] = &[
    // <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html>
    // <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-logging.html>
    (
        "AWS/ApiGateway",
        &["ApiId"],
        &[
            "4xx",
            "5xx",
            "Count",
            "Latency",
            "IntegrationLatency",
            "ConnectCount",
            "MessageCount",
            "ClientError",
            "ExecutionError",
            "IntegrationError",
        ],
    ),
    // <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html>
    ("AWS/Lambda", &["FunctionName"], &["Duration", "Errors", "IteratorAge", "Throttles"]),
    ("AWS/Lambda", &[], &["DestinationDeliveryFailures", "Errors", "Throttles"]),
    // <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html>
    (
        "AWS/DynamoDB",
        &["TableName"],
        &[
            "ConsumedReadCapacityUnits",
            "ConsumedWriteCapacityUnits",
            "ReadThrottleEvents",
            "WriteThrottleEvents",
        ],
    ),
    // <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html>
    ("AWS/SQS", &["QueueName"], &["ApproximateNumberOfMessagesVisible"]),
];

/// Whether a metric has data points with exactly these dimensions.
pub(super) fn exists(namespace: &str, metric: &str, dimensions: &[&str]) -> bool {
    if namespace != "Marketplace" {
        return AWS_METRICS.iter().any(|(known, by, names)| {
            *known == namespace && *by == dimensions && names.contains(&metric)
        });
    }
    let Some(declared) = metrics::declared().into_iter().find(|ours| ours.name == metric) else {
        return false;
    };
    match (dimensions, &declared.dimension) {
        (["Stack"], by) => by.is_none() || declared.is_totaled,
        (["Stack", name], Some(by)) => name == by,
        _ => false,
    }
}

#[test]
fn every_alarm_has_a_runbook_and_every_runbook_an_alarm() {
    let guide = read("docs/operations.md");
    let section = guide.split_once("\n## Runbooks\n").expect("a section with runbooks").1;
    let section = section.split("\n## ").next().unwrap_or_default();
    let runbooks: BTreeSet<_> = section
        .split("\n### ")
        .skip(1)
        .map(|runbook| {
            let (name, text) = runbook.split_once('\n').expect("a text");
            for part in ["**Users**: ", "**Look**: ", "**Do**: ", "**Over**: "] {
                assert!(text.contains(part), "the runbook of {name} has no {part}");
            }
            name.trim_matches('`').to_owned()
        })
        .collect();
    let alarms: BTreeSet<_> = alarms().into_iter().map(|(id, _)| id).collect();
    assert_eq!(alarms, runbooks, "alarms on the left, runbooks on the right");
}

/// Text that Lambda and `tracing` write into the log, so it is not in the functions' code.
const LOGGED_BY_OTHERS: [&str; 3] = ["ERROR", "Runtime exited", "Task timed out"];

#[test]
fn runbooks_search_the_log_for_what_functions_log() {
    // A search may go over a line break in the Markdown list.
    let guide = read("docs/operations.md").replace("\n  ", " ");
    let mut code = String::new();
    let mut folders = vec![workspace().join("functions/src"), workspace().join("shared/src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            match entry.path() {
                path if path.is_dir() => folders.push(path),
                path => code.push_str(&std::fs::read_to_string(path).unwrap_or_default()),
            }
        }
    }
    let searches = guide.split("log '\"").skip(1).filter_map(|rest| rest.split_once("\"'"));
    let searches: Vec<_> = searches.map(|(text, _)| text).filter(|t| !t.starts_with('<')).collect();
    assert!(searches.len() > 10, "{searches:?}");
    for text in searches {
        let is_logged = LOGGED_BY_OTHERS.contains(&text) || code.contains(text);
        assert!(is_logged, "no function logs {text:?}");
    }
}
