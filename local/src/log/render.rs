//! JSON events as `tracing-subscriber` writes them, put into words.

use serde_json::{Map, Value};

/// One event.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Event {
    /// `ERROR`, `WARN`, `INFO`, `DEBUG` or `TRACE`.
    pub(super) level: String,
    /// The message and its fields: `order accepted order=ord_1 version=3`.
    pub(super) text: String,
    /// The request id in one of its spans.
    pub(super) request_id: Option<String>,
}

/// What a line says twice, or what the log shows in a column of its own.
const KNOWN: [&str; 9] =
    ["timestamp", "level", "message", "target", "span", "spans", "name", "requestId", "request_id"];

/// Reads a line that is such an event; `None` for any other.
pub(super) fn event(line: &str) -> Option<Event> {
    if !line.starts_with('{') {
        return None;
    }
    let event: Map<String, Value> = serde_json::from_str(line).ok()?;
    let level = event.get("level")?.as_str()?.to_ascii_uppercase();
    // Flattened or not:
    // <https://docs.rs/tracing-subscriber/latest/tracing_subscriber/fmt/format/struct.Json.html>.
    let fields = event.get("fields").and_then(Value::as_object).unwrap_or(&event);
    let mut text = fields.get("message").map(plain).unwrap_or_default();
    let span = event.get("span").and_then(Value::as_object);
    let mut seen: Vec<&str> = Vec::new();
    for (key, value) in fields.iter().chain(span.into_iter().flatten()) {
        if KNOWN.contains(&key.as_str()) || key == "xrayTraceId" || seen.contains(&key.as_str()) {
            continue;
        }
        seen.push(key);
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(&format!("{key}={}", plain(value)));
    }
    let spans = event.get("spans").and_then(Value::as_array);
    let request_id = span
        .into_iter()
        .chain(spans.into_iter().flatten().filter_map(Value::as_object))
        .chain([fields])
        .find_map(|s| s.get("request_id").or_else(|| s.get("requestId")))
        .map(plain);
    Some(Event { level, text, request_id })
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
        let expected = Event {
            level: "INFO".into(),
            text: "accepted order=o1 version=3 route=POST /orders".into(),
            request_id: Some("r1".into()),
        };
        assert_eq!(event(line), Some(expected));
    }

    #[test]
    fn flattened_events_are_understood() {
        let line = r#"{"timestamp":"t","level":"error","message":"failed","code":7,"target":"x"}"#;
        let expected =
            Event { level: "ERROR".into(), text: "failed code=7".into(), request_id: None };
        assert_eq!(event(line), Some(expected));
    }

    #[test]
    fn anything_else_is_left_alone() {
        for line in ["hello", "{\"a\": 1}", "{broken", "[1]", ""] {
            assert_eq!(event(line), None, "{line}");
        }
    }
}
