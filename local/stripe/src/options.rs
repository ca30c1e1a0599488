//! The options of the stand-in.

use std::path::PathBuf;
use std::time::Duration;

/// The secret key that [`Options::new`] accepts.
pub const SECRET_KEY: &str = "sk_test_local";

/// The publishable key that [`Options::new`] accepts.
pub const PUBLISHABLE_KEY: &str = "pk_test_local";

/// The API version that [`Options::new`] sets.
pub const API_VERSION: &str = "2026-09-30.endive";

/// The options of the stand-in.
#[derive(Debug, Clone)]
pub struct Options {
    /// The URL that webhooks are posted to. It must begin with `http://`. Without it, no webhooks
    /// are sent, and events can only be listed.
    pub webhook_url: Option<String>,
    /// The secret that webhooks are signed with, `whsec_...`.
    pub webhook_secret: String,
    /// The secret keys that the API accepts. Other keys get a 401.
    pub secret_keys: Vec<String>,
    /// The publishable keys that the API accepts. With one of them, callers can retrieve and
    /// confirm payment intents whose client secret they know.
    pub publishable_keys: Vec<String>,
    /// The file in which everything is stored for the next start. Without it, everything is in
    /// memory.
    pub data_file: Option<PathBuf>,
    /// The API version of events, and of responses to requests without a `Stripe-Version` header.
    pub api_version: String,
    /// The delay before a failed webhook is sent again. Each further delay is twice as long.
    pub retry_first: Duration,
    /// The longest delay between two deliveries of a webhook.
    pub retry_longest: Duration,
    /// How long the webhook endpoint may take to answer.
    pub delivery_timeout: Duration,
    /// How long events are collected before they are reordered.
    pub reorder_window: Duration,
    /// How long a bank takes to settle a delayed payment or a pending or failing refund.
    pub settlement: Duration,
    /// How long a payment with `pm_card_slow` takes.
    pub slow_payment: Duration,
    /// How long the response for an idempotency key is stored.
    pub idempotency_key_lifetime: Duration,
}

impl Options {
    /// Returns the default options: the keys [`SECRET_KEY`] and [`PUBLISHABLE_KEY`], idempotency
    /// keys that are stored for 24 hours as at Stripe, and delays short enough for development.
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
            idempotency_key_lifetime: Duration::from_secs(24 * 60 * 60),
        }
    }
}
