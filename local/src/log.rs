//! The log of everything that runs: a line has its time (UTC), its source (a function or a part of
//! the cloud), its request id and its text.
//!
//! An HTTP request has one line. What a function logs about the request as a whole (an event with a
//! `status`, such as `{"level":"INFO","message":"answered","status":200,"user":"usr_1"}`) adds its
//! fields to that line instead of being a line of its own.

mod render;

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

/// How wide the column of sources is; longer names push their line to the right.
const SOURCE_WIDTH: usize = 20;

/// How wide the column of request ids is: those of API Gateway have 16 characters.
const ID_WIDTH: usize = 16;

/// Colours for sources, all readable on dark and on light: ANSI 31 to 36 and 91 to 96.
const COLOURS: [u8; 12] = [32, 33, 34, 35, 36, 31, 92, 93, 94, 95, 96, 91];

/// A handle to the log; clones write to the same place (stderr, a line at a time).
#[derive(Debug, Clone)]
pub struct Log {
    coloured: bool,
    /// HTTP requests in progress, and what their functions say about them.
    requests: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Default for Log {
    fn default() -> Self {
        // <https://no-color.org>
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
        Self { coloured: std::io::stderr().is_terminal() && !unwanted, requests: Arc::default() }
    }
}

impl Log {
    /// Writes one line. `source` is a function's name, or `local`, `http`, `ws`, `dynamodb`,
    /// `streams`, `schedule`, `stripe`. A `text` that is a JSON event of `tracing-subscriber` is
    /// made readable, any other is written as it is.
    pub fn line(&self, source: &str, request_id: Option<&str>, text: &str) {
        if let Some(line) = self.format(&Timestamp::now(), source, request_id, text) {
            write(&line);
        }
    }

    /// Collects what a function says about the HTTP request of this id, for its line.
    pub fn request(&self, id: &str) -> RequestLine<'_> {
        self.requests().insert(id.to_owned(), String::new());
        RequestLine { log: self, id: id.to_owned() }
    }

    /// The line to write; none for an event that is a part of its request's line.
    fn format(
        &self,
        now: &Timestamp,
        source: &str,
        request_id: Option<&str>,
        text: &str,
    ) -> Option<String> {
        let Some(event) = render::event(text) else {
            return Some(self.columns(now, source, request_id, "", text));
        };
        // The id that the function names is the one that its caller got: API Gateway's, if there is
        // one.
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
        if !self.coloured {
            return format!(
                "{time} {source:<SOURCE_WIDTH$} {id:<ID_WIDTH$} {level_column}{text}\n"
            );
        }
        let colour = colour(source);
        let (level_on, level_off) = match level {
            "ERROR" => ("\x1b[1;31m", "\x1b[0m"),
            "WARN" => ("\x1b[33m", "\x1b[0m"),
            _ => ("", ""),
        };
        format!(
            "\x1b[2m{time}\x1b[0m \x1b[{colour}m{source:<SOURCE_WIDTH$}\x1b[0m \
             \x1b[2m{id:<ID_WIDTH$}\x1b[0m {level_on}{level_column}{level_off}{text}\n"
        )
    }

    fn requests(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An HTTP request in progress. Dropping it (its client went away) forgets it.
pub struct RequestLine<'a> {
    log: &'a Log,
    id: String,
}

impl RequestLine<'_> {
    /// Writes the line of the request: `text`, and what its function has said about it.
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
    // A log that cannot be written (a closed pipe) must not end the cloud.
    drop(std::io::stderr().lock().write_all(line.as_bytes()));
}

/// Returns the same colour for the same source, always.
fn colour(source: &str) -> u8 {
    // FNV-1a.
    let hash = source
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    COLOURS[hash as usize % COLOURS.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "JKJaXmPLvHcESHA=";

    fn now() -> Timestamp {
        "2026-03-04T05:06:07.089Z".parse().unwrap()
    }

    fn log(coloured: bool) -> Log {
        Log { coloured, requests: Arc::default() }
    }

    fn format(coloured: bool, request_id: Option<&str>, text: &str) -> String {
        log(coloured).format(&now(), "orders-create", request_id, text).unwrap()
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
    fn what_a_function_says_about_a_request_is_part_of_the_one_line_of_the_request() {
        let event = r#"{"level":"INFO","message":"answered","status":422,"duration_ms":3,
            "span":{"request_id":"JKJaXmPLvHcESHA=","invocation":"i1","route":"POST /orders","user":"usr_1","errors":"note:too_long"}}"#;
        let log = log(false);
        let format = |text: &str| log.format(&now(), "orders-create", None, text);
        let request = log.request(ID);
        assert_eq!(format(event), None);
        assert!(format(&event.replace("status", "attempt")).is_some(), "any other event");
        assert!(format(&event.replace("INFO", "WARN")).is_some(), "one that is not all right");
        assert_eq!(
            request.format(&now(), "orders-create", "POST /orders 422 62 ms"),
            "05:06:07.089 orders-create        JKJaXmPLvHcESHA= POST /orders 422 62 ms errors=note:too_long user=usr_1\n"
        );
        drop(request);
        assert!(format(event).is_some(), "after the line of its request");
    }

    #[test]
    fn colours_are_for_terminals_only() {
        assert!(!format(false, None, "x").contains('\x1b'));
        assert!(
            format(true, None, "x")
                .contains(&format!("\x1b[{}morders-create", colour("orders-create")))
        );
    }
}
