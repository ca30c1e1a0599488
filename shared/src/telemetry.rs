//! Logs: one JSON object a line on stdout, which `CloudWatch` Logs Insights reads field by field.
//!
//! What goes in: identifiers (in the message and as fields), codes, counts. What never does: bodies, tokens, passwords, e-mails.

use tracing_subscriber::EnvFilter;

/// Starts logging for this process, at the level of `LOG_LEVEL` (`info` unless set; any `tracing` filter works). Calling it again does nothing.
pub fn init() {
    let filter = std::env::var("LOG_LEVEL")
        .ok()
        .and_then(|f| EnvFilter::try_new(f).ok())
        .unwrap_or_else(|| EnvFilter::new("info"));
    // A second start (several functions in one test process) keeps the first subscriber, and that is what is wanted.
    drop(
        tracing_subscriber::fmt()
            .json()
            .flatten_event(true)
            .with_env_filter(filter)
            .with_current_span(true)
            .with_span_list(false)
            .try_init(),
    );
}
