//! The log of everything that runs. Each line has a time (UTC), a source (a function or a part of
//! the cloud), a request id and a text.
//!
//! Each HTTP request has one line. If a function logs an event about the whole request (one with a
//! `status`, such as `{"level":"INFO","message":"answered","status":200,"user":"usr_1"}`), the
//! event's fields are added to that line, and the event gets no line of its own.
//!
//! Metrics in CloudWatch's embedded metric format are shown only if the log is verbose.

mod render;

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

/// The width of the source column. A longer name shifts the rest of its line.
const SOURCE_WIDTH: usize = 20;

/// The width of the request id column: ids of API Gateway have 16 characters.
const ID_WIDTH: usize = 16;

/// Colors for sources, readable on dark and light backgrounds: ANSI 31 to 36 and 91 to 96.
const COLORS: [u8; 12] = [32, 33, 34, 35, 36, 31, 92, 93, 94, 95, 96, 91];

/// A handle to the log, which goes to stderr line by line. Clones share one log.
#[derive(Debug, Clone)]
pub struct Log {
    colored: bool,
    verbose: bool,
    /// HTTP requests in progress, and the fields that their functions have logged about them.
    requests: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Default for Log {
    fn default() -> Self {
        // <https://no-color.org>
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
        let colored = std::io::stderr().is_terminal() && !no_color;
        Self { colored, verbose: false, requests: Arc::default() }
    }
}

impl Log {
    /// A log that also shows metrics if `verbose` is set.
    pub fn new(verbose: bool) -> Self {
        Self { verbose, ..Self::default() }
    }

    /// Writes one line. `source` is a function's name, or `local`, `http`, `ws`, `dynamodb`,
    /// `streams`, `schedule` or `stripe`. If `text` is a JSON event of `tracing-subscriber`, it is
    /// made readable; any other text is written as it is.
    pub fn line(&self, source: &str, request_id: Option<&str>, text: &str) {
        if let Some(line) = self.format(&Timestamp::now(), source, request_id, text) {
            write(&line);
        }
    }

    /// Starts collecting the fields that a function logs about the HTTP request with this id.
    pub fn request(&self, id: &str) -> RequestLine<'_> {
        self.requests().insert(id.to_owned(), String::new());
        RequestLine { log: self, id: id.to_owned() }
    }

    /// Returns the line to write, or `None` for an event that goes into its request's line.
    fn format(
        &self,
        now: &Timestamp,
        source: &str,
        request_id: Option<&str>,
        text: &str,
    ) -> Option<String> {
        if let Some(metrics) = render::metrics(text) {
            return self.verbose.then(|| self.columns(now, source, request_id, "", &metrics));
        }
        let Some(event) = render::event(text) else {
            return Some(self.columns(now, source, request_id, "", text));
        };
        // Prefer the id in the event: it is the one that the client got from API Gateway.
        let id = event.request_id.as_deref().or(request_id);
        if let (Some(fields), Some(id)) = (event.outcome(), id)
            && let Some(request) = self.requests().get_mut(id)
        {
            *request = fields;
            return None;
        }
        Some(self.columns(now, source, id, &event.level, &event.text()))
    }

    fn columns(
        &self,
        now: &Timestamp,
        source: &str,
        id: Option<&str>,
        level: &str,
        text: &str,
    ) -> String {
        let time = now.strftime("%H:%M:%S%.3f");
        let id = id.unwrap_or("-");
        let level_column = if level.is_empty() { String::new() } else { format!("{level:<5} ") };
        if !self.colored {
            return format!(
                "{time} {source:<SOURCE_WIDTH$} {id:<ID_WIDTH$} {level_column}{text}\n"
            );
        }
        let color = color(source);
        let (level_on, level_off) = match level {
            "ERROR" => ("\x1b[1;31m", "\x1b[0m"),
            "WARN" => ("\x1b[33m", "\x1b[0m"),
            _ => ("", ""),
        };
        format!(
            "\x1b[2m{time}\x1b[0m \x1b[{color}m{source:<SOURCE_WIDTH$}\x1b[0m \
             \x1b[2m{id:<ID_WIDTH$}\x1b[0m {level_on}{level_column}{level_off}{text}\n"
        )
    }

    fn requests(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The log line of an HTTP request in progress. If the client goes away, it is never written.
pub struct RequestLine<'a> {
    log: &'a Log,
    id: String,
}

impl RequestLine<'_> {
    /// Writes the line: `text`, followed by the fields that the function has logged.
    pub fn end(self, source: &str, text: &str) {
        write(&self.format(&Timestamp::now(), source, text));
    }

    fn format(&self, now: &Timestamp, source: &str, text: &str) -> String {
        let fields = self.log.requests().get(&self.id).cloned().unwrap_or_default();
        self.log.columns(now, source, Some(&self.id), "", &format!("{text}{fields}"))
    }
}

impl Drop for RequestLine<'_> {
    fn drop(&mut self) {
        self.log.requests().remove(&self.id);
    }
}

fn write(line: &str) {
    // A log that can't be written, such as a closed pipe, must not stop the cloud.
    drop(std::io::stderr().lock().write_all(line.as_bytes()));
}

/// Returns the color of a source, which is the same in every run.
fn color(source: &str) -> u8 {
    // FNV-1a.
    let hash = source
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    COLORS[hash as usize % COLORS.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "JKJaXmPLvHcESHA=";

    fn now() -> Timestamp {
        "2026-03-04T05:06:07.089Z".parse().unwrap()
    }

    fn log(colored: bool) -> Log {
        Log { colored, verbose: false, requests: Arc::default() }
    }

    fn format(colored: bool, request_id: Option<&str>, text: &str) -> String {
        log(colored).format(&now(), "orders-create", request_id, text).unwrap()
    }

    #[test]
    fn a_line_has_time_source_and_the_whole_request_id() {
        assert_eq!(
            format(false, Some(ID), "hello"),
            "05:06:07.089 orders-create        JKJaXmPLvHcESHA= hello\n"
        );
        assert_eq!(
            format(false, None, "hello"),
            "05:06:07.089 orders-create        -                hello\n"
        );
    }

    #[test]
    fn a_json_event_is_made_readable() {
        let event = r#"{"level":"WARN","fields":{"message":"late","order":"o1"},"span":{"request_id":"JKJaXmPLvHcESHA="}}"#;
        let line = "05:06:07.089 orders-create        JKJaXmPLvHcESHA= WARN  late order=o1\n";
        assert_eq!(
            [format(false, None, event), format(false, Some("of-the-invocation"), event)],
            [line; 2]
        );
    }

    #[test]
    fn metrics_are_readable_in_a_verbose_log_and_hidden_otherwise() {
        let line = r#"{"_aws":{"Timestamp":1,"CloudWatchMetrics":[{"Namespace":"Shop",
            "Dimensions":[["Stack","Status"]],"Metrics":[{"Name":"Orders","Unit":"Count"}]}]},
            "Stack":"shop","Orders":2,"Status":"completed"}"#;
        let format = |log: &Log| log.format(&now(), "orders-create", Some(ID), line);
        assert_eq!(format(&log(false)), None);
        let verbose = Log { verbose: true, ..log(false) };
        assert_eq!(
            format(&verbose).unwrap(),
            "05:06:07.089 orders-create        JKJaXmPLvHcESHA= metric Orders=2 Stack=shop Status=completed\n"
        );
    }

    #[test]
    fn fields_that_a_function_logs_about_a_request_go_into_the_requests_line() {
        let event = r#"{"level":"INFO","message":"answered","status":422,"duration_ms":3,
            "span":{"request_id":"JKJaXmPLvHcESHA=","requestId":"i1","route":"POST /orders","user":"usr_1","errors":"note:too_long"}}"#;
        let log = log(false);
        let format = |text: &str| log.format(&now(), "orders-create", None, text);
        let request = log.request(ID);
        assert_eq!(format(event), None);
        assert!(format(&event.replace("status", "attempt")).is_some(), "any other event");
        assert!(format(&event.replace("INFO", "WARN")).is_some(), "a warning");
        assert_eq!(
            request.format(&now(), "orders-create", "POST /orders 422 62 ms"),
            "05:06:07.089 orders-create        JKJaXmPLvHcESHA= POST /orders 422 62 ms errors=note:too_long user=usr_1\n"
        );
        drop(request);
        assert!(format(event).is_some(), "after the request's line is written");
    }

    #[test]
    fn only_terminals_get_colors() {
        assert!(!format(false, None, "x").contains('\x1b'));
        assert!(
            format(true, None, "x")
                .contains(&format!("\x1b[{}morders-create", color("orders-create")))
        );
    }
}
