//! The one readable log of everything that runs: a line names its source (function or part of the cloud) and its request.

use std::io::Write;

/// A handle to the log; clones write to the same place (stderr, a line at a time).
#[derive(Debug, Clone, Default)]
pub struct Log {}

impl Log {
    /// Writes one line. `source` is a function's name, or `http`, `ws`, `dynamodb`, `streams`, `schedule`, `stripe`.
    pub fn line(&self, source: &str, request_id: Option<&str>, text: &str) {
        let request = request_id.unwrap_or("-");
        // A log that cannot be written (a closed pipe) must not end the cloud.
        drop(writeln!(
            std::io::stderr().lock(),
            "{source:<20} {request} {text}"
        ));
    }
}
