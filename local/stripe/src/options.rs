//! How the stand-in behaves.

use std::path::PathBuf;
use std::time::Duration;

/// How the stand-in behaves.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where events are posted, an `http://` URL; without one they are only listed.
    pub webhook_url: Option<String>,
    /// `whsec_...`, with which they are signed.
    pub webhook_secret: String,
    /// The file that keeps everything; without one, nothing outlives the stand-in.
    pub data_file: Option<PathBuf>,
    /// The version of the API that events are written in.
    pub api_version: String,
    /// How soon a webhook is tried again; every further wait is twice as long.
    pub retry_first: Duration,
    /// The longest wait between two tries.
    pub retry_longest: Duration,
    /// How long the endpoint may take.
    pub delivery_timeout: Duration,
    /// How long events are gathered before they are reordered.
    pub reorder_window: Duration,
    /// How long a bank takes: delayed payments, pending and failing refunds.
    pub settlement: Duration,
    /// How long a payment with `pm_card_slow` takes.
    pub slow_payment: Duration,
    /// How long the answer to an idempotency key is kept.
    pub idempotency_keys_kept: Duration,
}

impl Options {
    /// The usual behaviour.
    #[must_use]
    pub fn new(
        webhook_url: Option<String>,
        webhook_secret: impl Into<String>,
        data_file: Option<PathBuf>,
    ) -> Self {
        Self {
            webhook_url,
            webhook_secret: webhook_secret.into(),
            data_file,
            api_version: "2026-09-30.endive".to_owned(),
            retry_first: Duration::from_millis(500),
            retry_longest: Duration::from_secs(30),
            delivery_timeout: Duration::from_secs(20),
            reorder_window: Duration::from_millis(300),
            settlement: Duration::from_secs(2),
            slow_payment: Duration::from_secs(2),
            idempotency_keys_kept: Duration::from_secs(24 * 60 * 60),
        }
    }
}
