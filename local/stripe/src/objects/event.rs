//! Events: <https://docs.stripe.com/api/events/object>. Each contains a snapshot of its object, and
//! is posted to the webhook endpoint.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Whether the webhook of an event was delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DeliveryStatus {
    /// The endpoint has not yet answered with a 2xx.
    Pending,
    /// The endpoint answered with a 2xx.
    Delivered,
    /// It is never sent, because the mode was `drop` or there is no endpoint.
    Dropped,
}

/// An event as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) api_version: String,
    pub(crate) created: i64,
    /// The object at the time of the event.
    pub(crate) object: Value,
    /// The former values of the fields that an `*.updated` event changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) previous_attributes: Option<Value>,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// The call that caused it, or `None` if the passage of time or the control API did.
    pub(crate) request_id: Option<String>,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) delivery: DeliveryStatus,
}

impl Event {
    /// Returns the object as the API shows it.
    pub(crate) fn to_json(&self) -> Value {
        let mut data = json!({ "object": self.object });
        if let Some(previous) = &self.previous_attributes {
            data["previous_attributes"] = previous.clone();
        }
        json!({
            "id": self.id,
            "object": "event",
            "api_version": self.api_version,
            "created": self.created,
            "data": data,
            "livemode": false,
            "pending_webhooks": i32::from(self.delivery == DeliveryStatus::Pending),
            "request": { "id": self.request_id, "idempotency_key": self.idempotency_key },
            "type": self.kind,
        })
    }
}
