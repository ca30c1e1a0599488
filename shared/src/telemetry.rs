//! Logging: one JSON object per line on stdout, whose fields `CloudWatch` Logs Insights can query.
//!
//! Log identifiers (in the message and as fields), codes and counts. Never log bodies, tokens,
//! passwords or e-mail addresses.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Starts logging for this process. `LOG_LEVEL` is a level (`debug`) or a level per crate
/// (`info,hyper=debug`), and `info` by default. Deployed functions contain no `trace` messages (see
/// `Cargo.toml`). Further calls do nothing.
pub fn init() {
    // `EnvFilter` would add a regex engine to every function, because it can also filter by spans
    // and fields.
    let levels: Option<Targets> =
        std::env::var("LOG_LEVEL").ok().and_then(|levels| levels.parse().ok());
    let levels = levels.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO));
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false);
    // A second call (several functions in one test process) fails and keeps the first subscriber,
    // as intended.
    drop(tracing_subscriber::registry().with(levels).with(lines).try_init());
}
