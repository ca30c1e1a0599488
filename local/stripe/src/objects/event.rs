//! Events: <https://docs.stripe.com/api/events/object>. Each is a snapshot of its object, and is
//! delivered to the webhook endpoint.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What became of an event's webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Delivery {
    /// Not yet answered with a 2xx.
    Pending,
    /// Answered with a 2xx.
    Delivered,
    /// Never sent: the switch said `drop`, or there is no endpoint.
    Dropped,
}

/// What is kept of an event.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) api_version: String,
    pub(crate) created: i64,
    /// The object as it was.
    pub(crate) object: Value,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// The call that caused it, if one did.
    pub(crate) request_id: Option<String>,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) delivery: Delivery,
}

impl Event {
    /// The object.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "id": self.id,
            "object": "event",
            "api_version": self.api_version,
            "created": self.created,
            "data": { "object": self.object },
            "livemode": false,
            "pending_webhooks": i32::from(self.delivery == Delivery::Pending),
            "request": { "id": self.request_id, "idempotency_key": self.idempotency_key },
            "type": self.kind,
        })
    }
}
