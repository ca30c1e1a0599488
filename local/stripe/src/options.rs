//! How the stand-in behaves.

use std::path::PathBuf;
use std::time::Duration;

/// The secret key that [`Options::new`] accepts.
pub const SECRET_KEY: &str = "sk_test_local";

/// The publishable key that [`Options::new`] accepts.
pub const PUBLISHABLE_KEY: &str = "pk_test_local";

/// The API version that [`Options::new`] sets.
pub const API_VERSION: &str = "2026-09-30.endive";

/// How the stand-in behaves.
#[derive(Debug, Clone)]
pub struct Options {
    /// The URL that webhooks are posted to. It must begin with `http://`. Without one, events are
    /// only listed.
    pub webhook_url: Option<String>,
    /// The secret that signs webhooks, `whsec_...`.
    pub webhook_secret: String,
    /// The secret keys that the API accepts. Any other is answered with 401.
    pub secret_keys: Vec<String>,
    /// The publishable keys that the API accepts. They see and confirm payment intents whose client
    /// secret the caller knows.
    pub publishable_keys: Vec<String>,
    /// The file that keeps everything for the next start. Without one, everything is in memory.
    pub data_file: Option<PathBuf>,
    /// The API version that events name, and answers to requests that name none.
    pub api_version: String,
    /// How long to wait before a refused webhook is sent again. Each further wait is twice as long.
    pub retry_first: Duration,
    /// The longest wait between two deliveries of a webhook.
    pub retry_longest: Duration,
    /// How long the webhook endpoint may take to answer.
    pub delivery_timeout: Duration,
    /// How long events are collected before they are reordered.
    pub reorder_window: Duration,
    /// How long a bank takes to settle a delayed payment or a pending or failing refund.
    pub settlement: Duration,
    /// How long a payment with `pm_card_slow` takes.
    pub slow_payment: Duration,
    /// How long the answer to an idempotency key is kept.
    pub idempotency_keys_kept: Duration,
}

impl Options {
    /// Returns the default behavior: the keys [`SECRET_KEY`] and [`PUBLISHABLE_KEY`], idempotency
    /// keys kept for 24 hours as at Stripe, and waits short enough for a laptop.
    #[must_use]
    pub fn new(
        webhook_url: Option<String>,
        webhook_secret: impl Into<String>,
        data_file: Option<PathBuf>,
    ) -> Self {
        Self {
            webhook_url,
            webhook_secret: webhook_secret.into(),
            secret_keys: vec![SECRET_KEY.to_owned()],
            publishable_keys: vec![PUBLISHABLE_KEY.to_owned()],
            data_file,
            api_version: API_VERSION.to_owned(),
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
