//! Stripe's webhook events. An event is stored once, exactly as received, before it is processed.

use futures::Stream;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::cursor::{CursorKeys, Page, PageRequest};
use super::index::Index;
use super::keys;
use super::query::Query;
use super::row::{Entity, Key};
use super::table::{Store, WriteOutcome};
use crate::domain::ids::{Fingerprint, OrderId, PaymentIntentId, StripeEventId};
use crate::domain::string_enum::string_enum;
use crate::error::Result;
use crate::metrics;
use crate::payments::webhook_event::WebhookEvent;
use crate::secrets::CachedSecret;

/// How long a settled event is kept: longer than the 30 days for which Stripe lists it.
const RETENTION: SignedDuration = SignedDuration::from_hours(35 * 24);

/// The largest payload that is stored as received. A larger one is reduced to the parts that we
/// read ([`WebhookEvent::reduced`]). Stripe's events are a few KB long, and DynamoDB allows 400 KB
/// per item (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>).
const MAX_PAYLOAD: usize = 300 * 1024;

/// A webhook event as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StripeEvent {
    /// Stripe's id, or an id derived from the body if Stripe's is missing or can't be stored.
    pub id: StripeEventId,
    /// Stripe's event type, such as `payment_intent.succeeded`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The version of Stripe's API that the payload has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
    /// When it was received.
    pub received_at: Timestamp,
    /// How it was handled, or `None` while it is pending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handled: Option<EventResult>,
    /// Whether `payload` contains only parts of the body, because the body was too large.
    #[serde(default)]
    pub reduced: bool,
    /// The raw body. It is empty in lists, because indexes don't contain it.
    #[serde(default)]
    pub payload: String,
    /// Grows with each change.
    pub version: u64,
}

/// How an event was handled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventResult {
    /// The outcome.
    pub outcome: EventOutcome,
    /// A stable code that explains the outcome, if the outcome alone doesn't say enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The order that the event is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<OrderId>,
    /// When it was handled.
    pub at: Timestamp,
}

string_enum! {
    /// How handling an event ended.
    EventOutcome {
        /// The event changed an order.
        Applied = "applied",
        /// The order already reflected it.
        Unchanged = "unchanged",
        /// The event does not concern an order.
        Ignored = "ignored",
        /// The event contradicts the order that it names. An administrator should look into it.
        Mismatch = "mismatch",
        /// The event could not be read. An administrator should look into it.
        Unreadable = "unreadable",
    }
}

impl EventOutcome {
    /// Whether nothing is left to do, for us or for an administrator.
    const fn is_settled(self) -> bool {
        match self {
            Self::Applied | Self::Unchanged | Self::Ignored => true,
            Self::Mismatch | Self::Unreadable => false,
        }
    }
}

impl StripeEvent {
    /// The [`StripeEvent::state`] of an event that has not been handled yet.
    pub const PENDING: &'static str = "pending";
    /// The type of an event that [`StripeEvent::for_mismatch`] creates. It is not one of Stripe's
    /// types.
    pub const MISMATCH_TYPE: &'static str = "finding";

    /// Creates a pending event from a verified webhook body.
    pub fn received(body: &[u8], at: Timestamp) -> Self {
        let event = WebhookEvent::parse(body);
        let reduced = body.len() > MAX_PAYLOAD;
        // Stripe sends UTF-8, so this loses nothing. Only a body that someone else signed with our
        // secret could be altered.
        let payload =
            if reduced { event.reduced() } else { String::from_utf8_lossy(body).into_owned() };
        let WebhookEvent { id, kind, api_version, .. } = event;
        Self { id, kind, api_version, received_at: at, handled: None, reduced, payload, version: 1 }
    }

    /// Creates the record of a contradiction between Stripe's data and an order that was found by
    /// querying Stripe, not through an event. The same contradiction always has the same id.
    pub fn for_mismatch(result: EventResult, intent: &PaymentIntentId) -> Self {
        let parts = [result.order_id.as_ref().map_or("", OrderId::as_str), intent.as_str()];
        let reason = result.reason.as_deref().unwrap_or_default();
        let fingerprint =
            Fingerprint::of(&[parts[0].as_bytes(), parts[1].as_bytes(), reason.as_bytes()]);
        let id = format!("finding_{}", fingerprint.as_str());
        let id = StripeEventId::parse(&id)
            .unwrap_or_else(|_| unreachable!("a prefix and 26 letters and digits are an id"));
        Self {
            id,
            kind: Self::MISMATCH_TYPE.to_owned(),
            api_version: None,
            received_at: result.at,
            handled: Some(result),
            reduced: false,
            payload: serde_json::json!({"payment_intent": intent}).to_string(),
            version: 1,
        }
    }

    /// Returns the event with its result.
    #[must_use]
    pub fn with_result(&self, result: EventResult) -> Self {
        Self { handled: Some(result), version: self.version + 1, ..self.clone() }
    }

    /// Counts the event if an administrator should look into it.
    fn count_attention(&self) {
        if self.handled.as_ref().is_some_and(|handled| !handled.outcome.is_settled()) {
            metrics::ATTENTION.add("payment_mismatch", 1);
        }
    }

    /// Records how long the event waited.
    fn record_age(&self) {
        if let Some(handled) = &self.handled {
            let age = handled.at.duration_since(self.received_at).as_millis();
            metrics::INBOX_AGE.record(u64::try_from(age).unwrap_or(0));
        }
    }

    /// Returns the state by which events are listed: [`StripeEvent::PENDING`], or the outcome's
    /// name.
    pub fn state(&self) -> &'static str {
        self.handled.as_ref().map_or(Self::PENDING, |handled| handled.outcome.as_str())
    }
}

impl Entity for StripeEvent {
    const ENTITY: &'static str = "stripe_event";
    const UNPROJECTED_FIELDS: &'static [&'static str] = &["payload"];

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
        // An event that an administrator should look into does not expire.
        self.handled.as_ref().filter(|handled| handled.outcome.is_settled())?;
        self.received_at.checked_add(RETENTION).ok()
    }
}

impl Store {
    /// Stores a received event. If an earlier delivery has already stored it, returns a conflict
    /// with the stored event.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    pub async fn receive_event(&self, event: &StripeEvent) -> Result<WriteOutcome<StripeEvent>> {
        let outcome = self.create(event).await?;
        if matches!(outcome, WriteOutcome::Written) {
            event.count_attention();
        }
        Ok(outcome)
    }

    /// Reads an event with its payload.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    pub async fn stripe_event(&self, id: &StripeEventId) -> Result<Option<StripeEvent>> {
        self.get(keys::stripe_event(id.as_str())).await
    }

    /// Streams the pending events that were received at `until` or earlier, without payloads.
    pub fn pending_events(
        &self,
        until: Timestamp,
    ) -> impl Stream<Item = Result<StripeEvent>> + Send {
        self.due_items(Index::Gsi5, (0..keys::SHARDS).map(keys::index::pending_events), until)
    }

    /// Returns a page of the events in one [`StripeEvent::state`], newest first and without
    /// payloads.
    ///
    /// # Errors
    /// `invalid_cursor` if the cursor is not from this list; `database_unavailable` when DynamoDB
    /// is down or throttles, internal when it fails otherwise.
    pub async fn stripe_events(
        &self,
        state: &str,
        page: &PageRequest,
        cursors: &CachedSecret<CursorKeys>,
    ) -> Result<Page<StripeEvent>> {
        self.list(Query::newest(Index::Gsi1, keys::index::stripe_events(state)), page, cursors)
            .await
    }

    /// Stores how an event was handled. If two requests handle an event at once, the first result
    /// is kept. That loses nothing, because handling an event twice changes nothing.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    pub async fn record_event_result(
        &self,
        event: &StripeEvent,
        result: EventResult,
    ) -> Result<()> {
        let handled = event.with_result(result);
        if matches!(self.replace(&handled, event.version).await?, WriteOutcome::Written) {
            handled.count_attention();
            handled.record_age();
        }
        Ok(())
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
            let done =
                EventResult { outcome, reason: None, order_id: None, at: Timestamp::UNIX_EPOCH };
            let item = to_item(&event.with_result(done)).unwrap();
            assert!(!item.contains_key("gsi5pk"));
            assert_eq!(item["gsi1pk"].as_s().unwrap(), &format!("STRIPE#{}", outcome.as_str()));
            assert_eq!(item["version"].as_n().unwrap(), "2");
            assert_eq!(item["payload"].as_s().unwrap(), BODY);
            // An event that an administrator should look into never expires.
            let expires = item.get("expires_at").map(|at| at.as_n().unwrap().as_str());
            assert_eq!(expires, outcome.is_settled().then_some("3024000"), "{outcome:?}");
        }
    }

    #[test]
    fn the_same_finding_always_has_the_same_id() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let finding = |reason: &str, second| {
            let result = EventResult {
                outcome: EventOutcome::Mismatch,
                reason: Some(reason.to_owned()),
                order_id: Some(OrderId::derived(&["a"])),
                at: at(second),
            };
            StripeEvent::for_mismatch(result, &PaymentIntentId::parse("pi_1").unwrap())
        };
        assert_eq!(finding("amount", 1).key(), finding("amount", 2).key());
        assert_ne!(finding("amount", 1).key(), finding("currency", 1).key());
        assert_eq!(finding("amount", 1).state(), "mismatch");
    }

    #[test]
    fn a_payload_too_large_for_an_item_is_reduced_to_the_parts_we_read() {
        let large =
            BODY.replace("pi_1\"", &format!("pi_1\", \"x\": \"{}\"", "é".repeat(MAX_PAYLOAD)));
        let event = StripeEvent::received(large.as_bytes(), Timestamp::UNIX_EPOCH);
        assert!(event.reduced && event.payload.len() < 500);
        assert_eq!(
            WebhookEvent::parse(event.payload.as_bytes()),
            WebhookEvent::parse(large.as_bytes())
        );
        assert!(!StripeEvent::received(BODY.as_bytes(), Timestamp::UNIX_EPOCH).reduced);
    }
}
