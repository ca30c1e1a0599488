//! What a webhook event tells us: which payment to ask about. Nothing else of it is believed, so
//! its shape hardly matters; that changes with Stripe's API versions, and an event has that of the
//! endpoint, not ours.

use serde_json::{Value, json};

use crate::domain::ids::{Fingerprint, PaymentIntentId, StripeEventId};

/// The types that say something about an order's payment; all others are stored and left alone.
pub(super) const HANDLED: &[&str] = &[
    "payment_intent.processing",
    "payment_intent.requires_action",
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "payment_intent.canceled",
    // Brings the fee, which a charge that was just made does not have yet.
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

/// An event, as far as we read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookEvent {
    /// Stripe's id for it; one derived from the body if that has none we could store.
    pub id: StripeEventId,
    /// Stripe's name for what happened; empty if the body has none.
    pub kind: String,
    /// The API version that the body is in.
    pub api_version: Option<String>,
    /// The payment intent that it is about, or why none is known.
    pub intent: Result<PaymentIntentId, IgnoredEvent>,
}

/// Why an event is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IgnoredEvent {
    /// Not one of the types that concern orders.
    Type,
    /// It is about no payment intent: a charge or a refund that was made without one.
    NoIntent,
    /// It is no JSON, of no type, or of a shape in which the payment intent is not to be found: for
    /// an administrator to look into.
    Unreadable,
}

/// What is to be asked because of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookSubject {
    /// The payment intent.
    pub intent: PaymentIntentId,
    /// Whether it is about refunds or disputes, which the intent itself need not tell of.
    pub thoroughly: bool,
}

impl WebhookEvent {
    /// Reads the body of a verified event. Any body will do: what can't be read is an event of no
    /// type.
    pub fn read(body: &[u8]) -> Self {
        let event: Value = serde_json::from_slice(body).unwrap_or_default();
        Self {
            id: event["id"]
                .as_str()
                .and_then(|id| StripeEventId::parse(id).ok())
                .unwrap_or_else(|| derived(body)),
            kind: short(&event["type"]).unwrap_or_default(),
            api_version: short(&event["api_version"]),
            intent: intent_of(&event["data"]["object"]),
        }
    }

    /// What to ask Stripe because of it.
    pub fn subject(&self) -> Result<WebhookSubject, IgnoredEvent> {
        if self.kind.is_empty() {
            return Err(IgnoredEvent::Unreadable);
        }
        if !HANDLED.contains(&self.kind.as_str()) {
            return Err(IgnoredEvent::Type);
        }
        let intent = self.intent.clone()?;
        Ok(WebhookSubject { intent, thoroughly: !self.kind.starts_with("payment_intent.") })
    }

    /// A body that reads the same, in the place of one that is too large to be stored.
    pub fn reduced(&self) -> String {
        let object = match &self.intent {
            Ok(intent) => json!({"payment_intent": intent}),
            Err(IgnoredEvent::NoIntent | IgnoredEvent::Type) => json!({"payment_intent": null}),
            Err(IgnoredEvent::Unreadable) => json!({}),
        };
        json!({"id": self.id.as_str(), "type": self.kind, "api_version": self.api_version, "data": {"object": object}})
            .to_string()
    }
}

/// The intent of an event's object: itself, or what its `payment_intent` names, which is an id or,
/// expanded, the whole.
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

/// The same body always has the same id.
fn derived(body: &[u8]) -> StripeEventId {
    let text = format!("unidentified_{}", Fingerprint::of(&[body]).as_str());
    StripeEventId::parse(&text)
        .unwrap_or_else(|_| unreachable!("a prefix and 26 letters and digits are an id"))
}

/// A string that Stripe would send: no more of it is stored than that can have.
fn short(value: &Value) -> Option<String> {
    value.as_str().map(|text| text.chars().take(100).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: &str, object: &Value) -> Vec<u8> {
        json!({"id": "evt_1", "type": kind, "api_version": "2030-01-01.future", "data": {"object": object}})
            .to_string()
            .into_bytes()
    }

    fn asks(body: &[u8]) -> Option<(String, bool)> {
        WebhookEvent::read(body)
            .subject()
            .ok()
            .map(|subject| (subject.intent.to_string(), subject.thoroughly))
    }

    #[test]
    fn every_kind_of_object_leads_to_its_intent() {
        let intent = json!({"id": "pi_1", "object": "payment_intent"});
        assert_eq!(asks(&event("payment_intent.succeeded", &intent)), Some(("pi_1".into(), false)));
        for (kind, object) in [
            ("charge.refunded", "charge"),
            ("refund.failed", "refund"),
            ("charge.dispute.created", "dispute"),
        ] {
            let by_id = json!({"id": "xx_1", "object": object, "payment_intent": "pi_1"});
            let expanded =
                json!({"id": "xx_1", "object": object, "payment_intent": {"id": "pi_1"}});
            for object in [by_id, expanded] {
                assert_eq!(asks(&event(kind, &object)), Some(("pi_1".into(), true)), "{kind}");
            }
        }
    }

    #[test]
    fn what_does_not_concern_an_order_is_left_alone() {
        let intent = json!({"id": "pi_1", "object": "payment_intent"});
        for kind in ["payment_intent.created", "customer.created", "payment_intent.invented"] {
            assert_eq!(
                WebhookEvent::read(&event(kind, &intent)).subject(),
                Err(IgnoredEvent::Type),
                "{kind}"
            );
        }
        let without = json!({"id": "ch_1", "object": "charge", "payment_intent": null});
        assert_eq!(
            WebhookEvent::read(&event("charge.refunded", &without)).subject(),
            Err(IgnoredEvent::NoIntent)
        );
    }

    #[test]
    fn what_should_concern_an_order_and_can_not_be_read_is_not_passed_over() {
        for object in [
            json!({"object": "charge"}),
            json!({"object": "charge", "payment_intent": 7}),
            json!({"object": "charge", "payment_intent": {"key": "pi_1"}}),
            json!({"object": "payment_intent", "identifier": "pi_1"}),
            json!("pi_1"),
            json!(null),
        ] {
            let asked = WebhookEvent::read(&event("charge.refunded", &object)).subject();
            assert_eq!(asked, Err(IgnoredEvent::Unreadable), "{object}");
        }
    }

    #[test]
    fn any_body_is_an_event_and_the_same_body_the_same_one() {
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
            let event = WebhookEvent::read(body);
            assert!(event.id.as_str().starts_with("unidentified_"), "{event:?}");
            assert_eq!(
                (event.subject(), &event),
                (Err(IgnoredEvent::Unreadable), &WebhookEvent::read(body))
            );
        }
        assert_ne!(WebhookEvent::read(b"{").id, WebhookEvent::read(b"}").id);
    }

    #[test]
    fn a_reduced_body_reads_as_the_whole() {
        for object in [
            json!({"id": "pi_1", "object": "payment_intent", "x": "y".repeat(1000)}),
            json!({"object": "refund", "payment_intent": "pi_1"}),
            json!({"object": "refund", "payment_intent": null}),
            json!({"object": "refund"}),
        ] {
            let whole = WebhookEvent::read(&event("refund.created", &object));
            assert_eq!(WebhookEvent::read(whole.reduced().as_bytes()), whole);
        }
        let nothing = WebhookEvent::read(b"{");
        assert_eq!(WebhookEvent::read(nothing.reduced().as_bytes()), nothing);
    }
}
