//! Makes JSON events of `tracing-subscriber` and metrics readable.

use serde_json::{Map, Value};

/// A JSON event.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Event {
    /// `ERROR`, `WARN`, `INFO`, `DEBUG` or `TRACE`.
    pub(super) level: String,
    message: String,
    /// The fields of the event, then those of its span.
    fields: Vec<(String, String)>,
    /// The request id in one of its spans.
    pub(super) request_id: Option<String>,
}

/// Fields that are not shown, because the log has a column for them or they are the same on every
/// line.
const HIDDEN: [&str; 11] = [
    "timestamp",
    "level",
    "message",
    "target",
    "span",
    "spans",
    "name",
    "requestId",
    "request_id",
    "traceparent",
    "xrayTraceId",
];

/// Fields that the line of an HTTP request already shows.
const SHOWN_BY_THE_REQUEST: [&str; 3] = ["status", "duration_ms", "route"];

impl Event {
    /// Returns the message and the fields: `order accepted order=ord_1 version=3`.
    pub(super) fn text(&self) -> String {
        let text = format!("{}{}", self.message, joined(&self.fields, &[]));
        text.trim_start().to_owned()
    }

    /// Returns the fields for the line of the request, such as ` user=usr_1 order=ord_1`, if the
    /// event says how a request ended, or `None` for any other event.
    pub(super) fn outcome(&self) -> Option<String> {
        let ended = self.level == "INFO" && self.fields.iter().any(|(name, _)| name == "status");
        ended.then(|| joined(&self.fields, &SHOWN_BY_THE_REQUEST))
    }
}

fn joined(fields: &[(String, String)], hidden: &[&str]) -> String {
    let shown = fields.iter().filter(|(name, _)| !hidden.contains(&name.as_str()));
    shown.map(|(name, value)| format!(" {name}={value}")).collect()
}

/// Returns a readable form of metrics in CloudWatch's embedded metric format, such as `metric
/// Orders=1 Status=completed`: the values, then the dimensions. `None` for any other line.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
pub(super) fn metrics(line: &str) -> Option<String> {
    if !line.starts_with('{') {
        return None;
    }
    let document: Map<String, Value> = serde_json::from_str(line).ok()?;
    let directives = document.get("_aws")?.get("CloudWatchMetrics")?.as_array()?;
    let values = directives.iter().filter_map(|directive| directive.get("Metrics")?.as_array());
    let values = values.flatten().filter_map(|metric| metric.get("Name")?.as_str());
    let dimensions = directives.iter().filter_map(|directive| directive.get("Dimensions"));
    let dimensions = dimensions.filter_map(Value::as_array).flatten().filter_map(Value::as_array);
    let dimensions = dimensions.flatten().filter_map(Value::as_str);
    let mut names: Vec<&str> = Vec::new();
    for name in values.chain(dimensions) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let shown =
        names.iter().filter_map(|name| Some(format!(" {name}={}", plain(document.get(*name)?))));
    Some(format!("metric{}", shown.collect::<String>()))
}

/// Parses a line. Returns `None` if it is not a JSON event.
pub(super) fn event(line: &str) -> Option<Event> {
    if !line.starts_with('{') {
        return None;
    }
    let event: Map<String, Value> = serde_json::from_str(line).ok()?;
    let level = event.get("level")?.as_str()?.to_ascii_uppercase();
    // Events may be flattened:
    // <https://docs.rs/tracing-subscriber/latest/tracing_subscriber/fmt/format/struct.Json.html>.
    let event_fields = event.get("fields").and_then(Value::as_object).unwrap_or(&event);
    let message = event_fields.get("message").map(plain).unwrap_or_default();
    let span = event.get("span").and_then(Value::as_object);
    let mut fields: Vec<(String, String)> = Vec::new();
    for (name, value) in event_fields.iter().chain(span.into_iter().flatten()) {
        if !HIDDEN.contains(&name.as_str()) && fields.iter().all(|(seen, _)| seen != name) {
            fields.push((name.clone(), plain(value)));
        }
    }
    let spans = event.get("spans").and_then(Value::as_array);
    let request_id = span
        .into_iter()
        .chain(spans.into_iter().flatten().filter_map(Value::as_object))
        .chain([event_fields])
        .find_map(|s| s.get("request_id").or_else(|| s.get("requestId")))
        .map(plain);
    Some(Event { level, message, fields, request_id })
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_the_event_and_of_its_span_follow_the_message() {
        let line = r#"{"timestamp":"2026-01-01T00:00:00Z","level":"INFO","fields":{"message":"accepted","order":"o1","version":3},
            "target":"functions","span":{"name":"request","order":"o1","route":"POST /orders"},"spans":[{"name":"Lambda runtime invoke","requestId":"r1","xrayTraceId":"x"}]}"#;
        let event = event(line).unwrap();
        assert_eq!(event.text(), "accepted order=o1 version=3 route=POST /orders");
        assert_eq!((event.level.as_str(), event.request_id.as_deref()), ("INFO", Some("r1")));
    }

    #[test]
    fn a_flattened_event_is_parsed() {
        let line = r#"{"timestamp":"t","level":"error","message":"failed","code":7,"target":"x"}"#;
        let event = event(line).unwrap();
        assert_eq!(event.text(), "failed code=7");
        assert_eq!((event.level.as_str(), event.request_id), ("ERROR", None));
    }

    #[test]
    fn an_event_with_a_status_is_the_outcome_of_its_request() {
        let outcome = |line: &str| event(line).unwrap().outcome();
        let ended = r#"{"level":"INFO","message":"answered","status":200,"duration_ms":7,"span":{"route":"GET /","user":"u1"}}"#;
        assert_eq!(outcome(ended).as_deref(), Some(" user=u1"));
        assert_eq!(outcome(r#"{"level":"INFO","message":"stored","user":"u1"}"#), None);
        assert_eq!(outcome(&ended.replace("INFO", "ERROR")), None);
    }

    #[test]
    fn other_lines_are_not_events() {
        for line in ["hello", "{\"a\": 1}", "{broken", "[1]", ""] {
            assert_eq!(event(line), None, "{line}");
        }
    }
}
