//! Logging: one JSON object per line on stdout, which `CloudWatch` Logs Insights can query by any
//! of its fields.
//!
//! A line has the fields of its event and of the spans around it, all at the top level. Lambda
//! reads `timestamp` and `level`, and its runtime adds `requestId` (the invocation) and
//! `xrayTraceId`:
//! <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html>.
//!
//! Log identifiers (in the message and as fields), codes and counts. Never log bodies, tokens,
//! passwords or e-mail addresses.

use std::fmt;

use serde_json::{Map, Value};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::{JsonFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

/// The variable in which Lambda's runtime keeps the X-Ray trace of the current invocation.
const TRACE_VARIABLE: &str = "_X_AMZN_TRACE_ID";

/// Starts logging for this process. Further calls do nothing.
///
/// `LOG_LEVEL` is a level (`DEBUG`) or a level per crate (`info,hyper=debug`), and `info` by
/// default. Deployed functions contain no `trace` messages (see `Cargo.toml`).
pub fn init() {
    let lines = tracing_subscriber::fmt::layer()
        .fmt_fields(JsonFields::new())
        .event_format(FlatJson)
        .with_ansi(false);
    let subscriber = tracing_subscriber::registry().with(levels()).with(lines);
    // A second call (several functions in one test process) fails and keeps the first subscriber,
    // as intended.
    drop(subscriber.try_init());
}

/// Reads from `LOG_LEVEL` which events are logged.
fn levels() -> Targets {
    // `EnvFilter` would add a regex engine to every function, because it can also filter by spans
    // and fields.
    let levels: Option<Targets> =
        std::env::var("LOG_LEVEL").ok().and_then(|levels| levels.parse().ok());
    let levels = levels.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO));
    // The runtime's span contains the request id. Without this, a higher level such as `warn` would
    // disable it, because it is an `info` span. It adds no lines of its own.
    levels.with_target("lambda_runtime::layers::trace", LevelFilter::INFO)
}

/// Returns the W3C trace context (<https://www.w3.org/TR/trace-context/#traceparent-header>) of the
/// current invocation, from its X-Ray trace, or `None` outside Lambda.
pub fn traceparent() -> Option<String> {
    traceparent_of(&std::env::var(TRACE_VARIABLE).ok()?)
}

/// Converts an X-Ray tracing header, `Root=1-<8 digits>-<24 digits>;Parent=<16 digits>;Sampled=1`
/// (<https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader>).
fn traceparent_of(xray: &str) -> Option<String> {
    let member = |name: &str| {
        xray.split(';').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
    };
    let hex = |text: &str, digits: usize| {
        text.len() == digits && text.bytes().all(|b| b.is_ascii_hexdigit())
    };
    let (seconds, rest) = member("Root")?.strip_prefix("1-")?.split_once('-')?;
    let parent = member("Parent")?;
    let sampled = u8::from(member("Sampled") == Some("1"));
    (hex(seconds, 8) && hex(rest, 24) && hex(parent, 16))
        .then(|| format!("00-{seconds}{rest}-{parent}-0{sampled}"))
}

/// Formats an event and the spans around it as one flat JSON object. If several of them have a
/// field with the same name, the event's wins over a span's, and an inner span's over an outer
/// span's.
struct FlatJson;

impl<S> FormatEvent<S, JsonFields> for FlatJson
where
    S: Subscriber + for<'l> LookupSpan<'l>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = Map::new();
        for span in context.event_scope().into_iter().flat_map(|scope| scope.from_root()) {
            if let Some(fields) = span.extensions().get::<FormattedFields<JsonFields>>() {
                line.extend(object(&fields.fields));
            }
        }
        let mut event_fields = String::new();
        context.format_fields(Writer::new(&mut event_fields), event)?;
        line.extend(object(&event_fields));
        let metadata = event.metadata();
        line.insert("timestamp".to_owned(), jiff::Timestamp::now().to_string().into());
        line.insert("level".to_owned(), metadata.level().as_str().into());
        line.insert("target".to_owned(), metadata.target().into());
        writeln!(writer, "{}", Value::Object(line))
    }
}

/// Returns the members of a JSON object, or an empty map if `json` is not one. A span without
/// fields has an empty text instead of an object.
fn object(json: &str) -> Map<String, Value> {
    serde_json::from_str(json).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use serde_json::json;
    use tracing::field;

    use super::*;

    /// Collects everything that is logged.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend(text);
            Ok(text.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// Returns the lines that `work` logs, without their times.
    fn logged(work: impl FnOnce()) -> Vec<Value> {
        let log = Log::default();
        let writer = log.clone();
        let lines = tracing_subscriber::fmt::layer()
            .fmt_fields(JsonFields::new())
            .event_format(FlatJson)
            .with_writer(move || writer.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), work);
        let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        let line = |line: &str| {
            let mut line: Value = serde_json::from_str(line).unwrap();
            let time = line["timestamp"].take();
            assert!(time.as_str().unwrap().parse::<jiff::Timestamp>().is_ok(), "{time}");
            line.as_object_mut().unwrap().remove("timestamp");
            line
        };
        text.lines().map(line).collect()
    }

    #[test]
    fn a_line_has_the_fields_of_its_event_and_of_all_spans_at_the_top_level() {
        let lines = logged(|| {
            let invocation = tracing::info_span!("invocation", requestId = "r1");
            let record = tracing::info_span!(parent: &invocation, "record", order = field::Empty);
            record.record("order", "o1");
            record.in_scope(|| tracing::warn!(n = 3, text = "a \"quote\"\n", "not {}", "applied"));
            tracing::info!("alone");
        });
        let target = module_path!();
        assert_eq!(
            lines,
            [
                json!({
                    "level": "WARN", "target": target, "message": "not applied", "requestId": "r1",
                    "order": "o1", "n": 3, "text": "a \"quote\"\n",
                }),
                json!({"level": "INFO", "target": target, "message": "alone"}),
            ]
        );
    }

    #[test]
    fn the_innermost_of_several_fields_with_the_same_name_wins() {
        let lines = logged(|| {
            let outer = tracing::info_span!("outer", order = "o1", user = "u1");
            let inner = tracing::info_span!(parent: &outer, "inner", order = "o2");
            inner.in_scope(|| tracing::info!(user = "u2", "done"));
        });
        assert_eq!((&lines[0]["order"], &lines[0]["user"]), (&json!("o2"), &json!("u2")));
    }

    #[test]
    fn an_x_ray_trace_becomes_a_traceparent() {
        let root = "Root=1-5759e988-bd862e3fe1be46a994272793";
        assert_eq!(
            traceparent_of(&format!("{root};Parent=53995c3f42cd8ad8;Sampled=1")).as_deref(),
            Some("00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01")
        );
        assert_eq!(
            traceparent_of(&format!("{root}; Parent=53995c3f42cd8ad8")).as_deref(),
            Some("00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-00")
        );
        for other in ["", root, "Root=1-5759e988-x;Parent=53995c3f42cd8ad8", "Root=2-a-b;Parent=c"]
        {
            assert_eq!(traceparent_of(other), None, "{other}");
        }
    }
}
