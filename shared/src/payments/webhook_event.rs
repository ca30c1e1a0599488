//! Finds the payment that a webhook event is about. Nothing else in the event is trusted, so its
//! exact shape hardly matters. The shape depends on the API version that the endpoint has at
//! Stripe.

use serde_json::{Value, json};

use crate::domain::ids::{Fingerprint, OrderId, PaymentIntentId, StripeEventId};

/// The event types that concern an order's payment. Other events are stored and ignored.
pub(super) const HANDLED: &[&str] = &[
    "payment_intent.processing",
    "payment_intent.requires_action",
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "payment_intent.canceled",
    // Reports the fee, which a new charge does not have yet.
    "charge.updated",
    "charge.refunded",
    "charge.refund.updated",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
    "charge.dispute.closed",
];

/// The parts of an event that we read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookEvent {
    /// Stripe's id, or an id derived from the body if Stripe's is missing or can't be stored.
    pub id: StripeEventId,
    /// Stripe's event type, or an empty text if the body has no type.
    pub kind: String,
    /// The version of Stripe's API that the body has.
    pub api_version: Option<String>,
    /// The payment intent that the event is about, or the reason why the event has no intent.
    pub intent: Result<PaymentIntentId, IgnoredEvent>,
    /// The order named in the object's metadata. It is only logged: the order to change is the one
    /// that the intent names when it is read from Stripe.
    pub order: Option<OrderId>,
}

/// Why an event is ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IgnoredEvent {
    /// The event's type does not concern orders.
    Type,
    /// The event has no payment intent: it is about a charge or a refund that was made without one.
    NoIntent,
    /// The body is not JSON, has no type, or has a shape in which the payment intent can't be
    /// found. An administrator should look into it.
    Unreadable,
}

/// What to look up at Stripe because of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookSubject {
    /// The payment intent.
    pub intent: PaymentIntentId,
    /// Whether to look up refunds and disputes too. The event is about one of them, and the intent
    /// may not mention it.
    pub with_refunds: bool,
}

impl WebhookEvent {
    /// Parses the body of a verified event. This never fails: an unreadable body becomes an event
    /// without a type.
    pub fn parse(body: &[u8]) -> Self {
        let event: Value = serde_json::from_slice(body).unwrap_or_default();
        Self {
            id: event["id"]
                .as_str()
                .and_then(|id| StripeEventId::parse(id).ok())
                .unwrap_or_else(|| derived_id(body)),
            kind: truncated(&event["type"]).unwrap_or_default(),
            api_version: truncated(&event["api_version"]),
            intent: intent_of(&event["data"]["object"]),
            order: event["data"]["object"]["metadata"]["order_id"]
                .as_str()
                .and_then(|id| id.parse().ok()),
        }
    }

    /// Returns what to look up at Stripe because of the event.
    ///
    /// # Errors
    /// The reason why the event is ignored: its type does not concern orders, it has no payment
    /// intent, or it can't be read.
    pub fn subject(&self) -> Result<WebhookSubject, IgnoredEvent> {
        if self.kind.is_empty() {
            return Err(IgnoredEvent::Unreadable);
        }
        if !HANDLED.contains(&self.kind.as_str()) {
            return Err(IgnoredEvent::Type);
        }
        let intent = self.intent.clone()?;
        Ok(WebhookSubject { intent, with_refunds: !self.kind.starts_with("payment_intent.") })
    }

    /// Returns a short body that parses to the same event, for bodies that are too large to store.
    pub fn reduced(&self) -> String {
        let mut object = match &self.intent {
            Ok(intent) => json!({"payment_intent": intent}),
            Err(IgnoredEvent::NoIntent | IgnoredEvent::Type) => json!({"payment_intent": null}),
            Err(IgnoredEvent::Unreadable) => json!({}),
        };
        if let Some(order) = &self.order {
            object["metadata"] = json!({"order_id": order});
        }
        json!({
            "id": self.id.as_str(),
            "type": self.kind,
            "api_version": self.api_version,
            "data": {"object": object},
        })
        .to_string()
    }
}

/// Returns the payment intent of an event's object: the object itself, or its `payment_intent`,
/// which is an id or an expanded object.
fn intent_of(object: &Value) -> Result<PaymentIntentId, IgnoredEvent> {
    let id = match (object["object"].as_str(), object.get("payment_intent")) {
        (Some("payment_intent"), _) => &object["id"],
        (_, Some(Value::Null)) => return Err(IgnoredEvent::NoIntent),
        (_, Some(intent)) if intent.is_object() => &intent["id"],
        (_, Some(intent)) => intent,
        (_, None) => return Err(IgnoredEvent::Unreadable),
    };
    id.as_str().and_then(|id| PaymentIntentId::parse(id).ok()).ok_or(IgnoredEvent::Unreadable)
}

/// Derives an id from the body. The same body always has the same id.
fn derived_id(body: &[u8]) -> StripeEventId {
    let text = format!("unidentified_{}", Fingerprint::of(&[body]).as_str());
    StripeEventId::parse(&text)
        .unwrap_or_else(|_| unreachable!("a prefix and 26 letters and digits are an id"))
}

/// Returns a string, cut to 100 characters, which is more than Stripe would send.
fn truncated(value: &Value) -> Option<String> {
    value.as_str().map(|text| text.chars().take(100).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: &str, object: &Value) -> Vec<u8> {
        let version = "2030-01-01.future";
        json!({"id": "evt_1", "type": kind, "api_version": version, "data": {"object": object}})
            .to_string()
            .into_bytes()
    }

    /// Returns the intent to look up, and whether to look up its refunds too.
    fn lookup(body: &[u8]) -> Option<(String, bool)> {
        WebhookEvent::parse(body)
            .subject()
            .ok()
            .map(|subject| (subject.intent.to_string(), subject.with_refunds))
    }

    #[test]
    fn the_intent_is_found_in_every_kind_of_object() {
        let intent = json!({"id": "pi_1", "object": "payment_intent"});
        assert_eq!(
            lookup(&event("payment_intent.succeeded", &intent)),
            Some(("pi_1".into(), false))
        );
        for (kind, object) in [
            ("charge.refunded", "charge"),
            ("refund.failed", "refund"),
            ("charge.dispute.created", "dispute"),
        ] {
            let by_id = json!({"id": "xx_1", "object": object, "payment_intent": "pi_1"});
            let expanded =
                json!({"id": "xx_1", "object": object, "payment_intent": {"id": "pi_1"}});
            for object in [by_id, expanded] {
                assert_eq!(lookup(&event(kind, &object)), Some(("pi_1".into(), true)), "{kind}");
            }
        }
    }

    #[test]
    fn events_that_do_not_concern_orders_are_ignored() {
        let intent = json!({"id": "pi_1", "object": "payment_intent"});
        for kind in ["payment_intent.created", "customer.created", "payment_intent.invented"] {
            assert_eq!(
                WebhookEvent::parse(&event(kind, &intent)).subject(),
                Err(IgnoredEvent::Type),
                "{kind}"
            );
        }
        let without = json!({"id": "ch_1", "object": "charge", "payment_intent": null});
        assert_eq!(
            WebhookEvent::parse(&event("charge.refunded", &without)).subject(),
            Err(IgnoredEvent::NoIntent)
        );
    }

    #[test]
    fn an_event_without_a_readable_intent_is_reported_as_unreadable() {
        for object in [
            json!({"object": "charge"}),
            json!({"object": "charge", "payment_intent": 7}),
            json!({"object": "charge", "payment_intent": {"key": "pi_1"}}),
            json!({"object": "payment_intent", "identifier": "pi_1"}),
            json!("pi_1"),
            json!(null),
        ] {
            let subject = WebhookEvent::parse(&event("charge.refunded", &object)).subject();
            assert_eq!(subject, Err(IgnoredEvent::Unreadable), "{object}");
        }
    }

    #[test]
    fn any_body_parses_and_the_same_body_has_the_same_id() {
        let bodies: [&[u8]; 8] = [
            b"",
            b"{",
            b"null",
            b"[1]",
            b"\xff\xfe",
            b"{\"id\": 7}",
            b"{\"id\": \"evt #1\"}",
            b"{\"data\": {\"object\": 3}}",
        ];
        for body in bodies {
            let event = WebhookEvent::parse(body);
            assert!(event.id.as_str().starts_with("unidentified_"), "{event:?}");
            assert_eq!(
                (event.subject(), &event),
                (Err(IgnoredEvent::Unreadable), &WebhookEvent::parse(body))
            );
        }
        assert_ne!(WebhookEvent::parse(b"{").id, WebhookEvent::parse(b"}").id);
    }

    #[test]
    fn a_reduced_body_parses_to_the_same_event() {
        for object in [
            json!({"id": "pi_1", "object": "payment_intent", "x": "y".repeat(1000)}),
            json!({"object": "refund", "payment_intent": "pi_1"}),
            json!({"object": "refund", "payment_intent": null}),
            json!({"object": "refund"}),
        ] {
            let whole = WebhookEvent::parse(&event("refund.created", &object));
            assert_eq!(WebhookEvent::parse(whole.reduced().as_bytes()), whole);
        }
        let nothing = WebhookEvent::parse(b"{");
        assert_eq!(WebhookEvent::parse(nothing.reduced().as_bytes()), nothing);
    }
}
