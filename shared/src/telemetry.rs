//! Logs: one JSON object a line on stdout, which `CloudWatch` Logs Insights reads field by field.
//!
//! What goes in: identifiers (in the message and as fields), codes, counts. What never does:
//! bodies, tokens, passwords, e-mails.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Starts logging for this process, at the level of `LOG_LEVEL`: `debug`, or by crate,
/// `info,hyper=debug`; `info` unless set. Deployed functions have nothing to say at `trace`
/// (Cargo.toml). Calling it again does nothing.
pub fn init() {
    // Not an `EnvFilter`: it filters by what spans and fields hold as well, for which it links a
    // regex engine into every function.
    let levels: Option<Targets> =
        std::env::var("LOG_LEVEL").ok().and_then(|levels| levels.parse().ok());
    let levels = levels.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO));
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false);
    // A second start (several functions in one test process) keeps the first subscriber, and that
    // is what is wanted.
    drop(tracing_subscriber::registry().with(levels).with(lines).try_init());
}
