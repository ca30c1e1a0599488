//! Events of Stripe's webhook: stored once, as they came, before anything is done about them.

use futures::Stream;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::row::{Entity, Key};
use super::{CursorKey, Index, Listed, PageRequest, Query, Store, WriteOutcome, keys};
use crate::domain::ids::{Fingerprint, OrderId, PaymentIntentId, StripeEventId};
use crate::domain::string_enum::string_enum;
use crate::error::Result;
use crate::payments::webhook_event::WebhookEvent;

/// How long an event is kept that is done with: longer than the 30 days for which Stripe itself
/// lists it.
const KEPT: SignedDuration = SignedDuration::from_hours(35 * 24);

/// The largest payload that is stored as it came: an item has 400 KB
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>), and
/// Stripe's own events have a few. Of a larger one the parts are kept that are read
/// ([`WebhookEvent::reduced`]).
const MAX_PAYLOAD: usize = 300 * 1024;

/// An event as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StripeEvent {
    /// Stripe's id; one derived from the payload if that has none.
    pub id: StripeEventId,
    /// Stripe's name for what happened (`payment_intent.succeeded`).
    #[serde(rename = "type")]
    pub kind: String,
    /// The API version of its shape.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
    /// When it came.
    pub received_at: Timestamp,
    /// What was done about it; `None` while nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handled: Option<Handled>,
    /// Whether `payload` is not all that came.
    #[serde(default)]
    pub reduced: bool,
    /// The raw body. Lists don't have it.
    #[serde(default)]
    pub payload: String,
    /// Grows with each change.
    pub version: u64,
}

/// What was done about an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handled {
    /// What.
    pub outcome: EventOutcome,
    /// Why, where that needs saying: a stable code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The order that it was about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<OrderId>,
    /// When.
    pub at: Timestamp,
}

string_enum! {
    /// How handling an event ended.
    EventOutcome {
        /// It changed its order.
        Applied = "applied",
        /// The order already reflected it.
        Unchanged = "unchanged",
        /// It does not concern an order.
        Ignored = "ignored",
        /// It contradicts the order it names. An administrator should look into it.
        Mismatch = "mismatch",
        /// It could not be read. An administrator should look into it.
        Unreadable = "unreadable",
    }
}

impl EventOutcome {
    /// Whether nothing is left to be done about it, by us or by an administrator.
    const fn is_settled(self) -> bool {
        match self {
            Self::Applied | Self::Unchanged | Self::Ignored => true,
            Self::Mismatch | Self::Unreadable => false,
        }
    }
}

impl StripeEvent {
    /// The state of an event about which nothing was done yet.
    pub const PENDING: &'static str = "pending";
    /// The type of what is no event of Stripe's: [`StripeEvent::finding`].
    pub const FINDING: &'static str = "finding";

    /// A verified body that came now.
    pub fn received(body: &[u8], at: Timestamp) -> Self {
        let notice = WebhookEvent::read(body);
        let reduced = body.len() > MAX_PAYLOAD;
        // Stripe sends UTF-8; whoever else knows the secret gets what can be shown.
        let payload =
            if reduced { notice.reduced() } else { String::from_utf8_lossy(body).into_owned() };
        let WebhookEvent { id, kind, api_version, .. } = notice;
        Self { id, kind, api_version, received_at: at, handled: None, reduced, payload, version: 1 }
    }

    /// A note that Stripe says something about an order which does not fit it, found without an
    /// event: by asking. The same finding has the same id.
    pub fn finding(handled: Handled, intent: &PaymentIntentId) -> Self {
        let parts = [handled.order_id.as_ref().map_or("", OrderId::as_str), intent.as_str()];
        let reason = handled.reason.as_deref().unwrap_or_default();
        let fingerprint =
            Fingerprint::of(&[parts[0].as_bytes(), parts[1].as_bytes(), reason.as_bytes()]);
        let id = format!("finding_{}", fingerprint.as_str());
        let id = StripeEventId::parse(&id)
            .unwrap_or_else(|_| unreachable!("a prefix and 26 letters and digits are an id"));
        Self {
            id,
            kind: Self::FINDING.to_owned(),
            api_version: None,
            received_at: handled.at,
            handled: Some(handled),
            reduced: false,
            payload: serde_json::json!({"payment_intent": intent}).to_string(),
            version: 1,
        }
    }

    /// The event with what was done about it.
    #[must_use]
    pub fn handled(&self, handled: Handled) -> Self {
        Self { handled: Some(handled), version: self.version + 1, ..self.clone() }
    }

    /// [`StripeEvent::PENDING`], or the outcome's name: the list that it is in.
    pub fn state(&self) -> &'static str {
        self.handled.as_ref().map_or(Self::PENDING, |handled| handled.outcome.as_str())
    }
}

impl Entity for StripeEvent {
    const ENTITY: &'static str = "stripe_event";
    const HEAVY: &'static [&'static str] = &["payload"];

    fn key(&self) -> Key {
        keys::stripe_event(self.id.as_str())
    }

    fn indexes(&self) -> Vec<(Index, Key)> {
        let listed = (
            Index::Gsi1,
            keys::index::stripe_event(self.state(), self.received_at, self.id.as_str()),
        );
        match self.handled {
            None => vec![
                listed,
                (Index::Gsi5, keys::index::pending_event(self.received_at, self.id.as_str())),
            ],
            Some(_) => vec![listed],
        }
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn expires_at(&self) -> Option<Timestamp> {
        // What waits for somebody stays until it was looked at, however long that takes.
        self.handled.as_ref().filter(|handled| handled.outcome.is_settled())?;
        self.received_at.checked_add(KEPT).ok()
    }
}

impl Store {
    /// Stores an event that came, once: in one write, which does nothing when it came before.
    pub async fn receive_event(&self, event: &StripeEvent) -> Result<WriteOutcome<StripeEvent>> {
        self.create(event).await
    }

    /// A stored event with its payload.
    pub async fn stripe_event(&self, id: &StripeEventId) -> Result<Option<StripeEvent>> {
        self.get(keys::stripe_event(id.as_str())).await
    }

    /// Events that came at `until` or before, and are not handled. Without their payloads.
    pub fn pending_events(
        &self,
        until: Timestamp,
    ) -> impl Stream<Item = Result<StripeEvent>> + Send {
        self.sweep(Index::Gsi5, (0..keys::SHARDS).map(keys::index::pending_events), until)
    }

    /// Events of one [`StripeEvent::state`], newest first. Without their payloads.
    pub async fn stripe_events(
        &self,
        state: &str,
        page: &PageRequest,
        cursors: &CursorKey,
    ) -> Result<Listed<StripeEvent>> {
        self.list(Query::newest(Index::Gsi1, keys::index::stripe_events(state)), page, cursors)
            .await
    }

    /// Notes what was done about an event. Who handled it at the same time did the same: whichever
    /// note comes first stays.
    pub async fn event_handled(&self, event: &StripeEvent, handled: Handled) -> Result<()> {
        self.replace(&event.handled(handled), event.version).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::super::row::{from_item, to_item};
    use super::*;

    const BODY: &str = r#"{"id": "evt_1", "type": "refund.created", "api_version": "2026-01-01", "data": {"object": {"payment_intent": "pi_1"}}}"#;

    #[test]
    fn an_event_is_pending_until_it_is_handled_and_keeps_its_payload() {
        let event = StripeEvent::received(BODY.as_bytes(), Timestamp::UNIX_EPOCH);
        let item = to_item(&event).unwrap();
        let text = |name: &str| item.get(name).and_then(|v| v.as_s().ok()).map(String::as_str);
        assert_eq!((text("pk"), text("sk")), (Some("STRIPE#evt_1"), Some("EVENT")));
        assert!(text("gsi5pk").unwrap().starts_with("PENDING#"));
        assert_eq!(text("gsi1pk"), Some("STRIPE#pending"));
        assert_eq!(text("payload"), Some(BODY));
        assert!(!item.contains_key("expires_at"));
        assert_eq!(from_item::<StripeEvent>(item).unwrap(), event);

        for outcome in EventOutcome::ALL {
            // `doc.handled.outcome` and the index use the same word.
            assert_eq!(serde_json::to_value(outcome).unwrap(), outcome.as_str());
            let done = Handled { outcome, reason: None, order_id: None, at: Timestamp::UNIX_EPOCH };
            let item = to_item(&event.handled(done)).unwrap();
            assert!(!item.contains_key("gsi5pk"));
            assert_eq!(item["gsi1pk"].as_s().unwrap(), &format!("STRIPE#{}", outcome.as_str()));
            assert_eq!(item["version"].as_n().unwrap(), "2");
            assert_eq!(item["payload"].as_s().unwrap(), BODY);
            // What an administrator is to look into is never deleted by the clock.
            let expires = item.get("expires_at").map(|at| at.as_n().unwrap().as_str());
            assert_eq!(expires, outcome.is_settled().then_some("3024000"), "{outcome:?}");
        }
    }

    #[test]
    fn a_finding_is_filed_once_however_often_it_is_found() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let found = |reason: &str, second| {
            let handled = Handled {
                outcome: EventOutcome::Mismatch,
                reason: Some(reason.to_owned()),
                order_id: Some(OrderId::derived(&["a"])),
                at: at(second),
            };
            StripeEvent::finding(handled, &PaymentIntentId::parse("pi_1").unwrap())
        };
        assert_eq!(found("amount", 1).key(), found("amount", 2).key());
        assert_ne!(found("amount", 1).key(), found("currency", 1).key());
        assert_eq!(found("amount", 1).state(), "mismatch");
    }

    #[test]
    fn a_payload_that_no_item_could_hold_is_reduced_to_what_is_read() {
        let large =
            BODY.replace("pi_1\"", &format!("pi_1\", \"x\": \"{}\"", "é".repeat(MAX_PAYLOAD)));
        let event = StripeEvent::received(large.as_bytes(), Timestamp::UNIX_EPOCH);
        assert!(event.reduced && event.payload.len() < 500);
        assert_eq!(
            WebhookEvent::read(event.payload.as_bytes()),
            WebhookEvent::read(large.as_bytes())
        );
        assert!(!StripeEvent::received(BODY.as_bytes(), Timestamp::UNIX_EPOCH).reduced);
    }
}
