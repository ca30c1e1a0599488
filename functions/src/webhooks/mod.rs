//! Webhooks: events that Stripe sends.

pub mod events;
pub mod stripe;

use shared::payments::signature::WebhookSecrets;
use shared::secrets::CachedSecret;
use shared::store::Store;

use crate::runtime::context::context;

context! {
    /// For receiving events.
    Webhook {
        /// The database.
        store: Store,
        /// The endpoint's signing secrets.
        secrets: CachedSecret<WebhookSecrets>,
    }
}
