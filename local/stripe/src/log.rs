//! The log of the stand-in.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

/// A log, with one line for each request and one for each webhook delivery. Clones write to the
/// same log.
#[derive(Clone)]
pub struct Log(Arc<Write>);

type Write = dyn Fn(Option<&str>, &str) + Send + Sync;

impl Log {
    /// Calls `write` for each line, with its text and the id of the request that it belongs to, if
    /// any.
    pub fn new(write: impl Fn(Option<&str>, &str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(write))
    }

    /// Writes each line to stderr, after the time (UTC) and the request id.
    #[must_use]
    pub fn stderr() -> Self {
        Self::new(|request_id, text| {
            let time = Timestamp::now().strftime("%H:%M:%S%.3f");
            eprintln!("{time} {:<18} {text}", request_id.unwrap_or("-"));
        })
    }

    /// Writes one line.
    pub(crate) fn line(&self, request_id: Option<&str>, text: &str) {
        (self.0)(request_id, text);
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log").finish_non_exhaustive()
    }
}
