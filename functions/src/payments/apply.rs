//! `payments-apply`: the stream function of payments. It applies stored webhook events to their
//! orders, and cancels the intents or refunds the payments of canceled orders.

use aws_lambda_events::dynamodb::EventRecord;
use jiff::Timestamp;
use shared::domain::ids::{OrderId, StripeEventId};
use shared::error::Result;
use shared::payments::webhook_event::{IgnoredEvent, WebhookEvent};
use shared::payments::{Stripe, StripeApi};
use shared::store::{EventOutcome, EventResult, StreamSubject};
use tracing::Span;
use tracing::field::display;

use super::{PaymentService, SyncOutcome};

/// Handles one record. It reads the event or the order again, because the record may be old or a
/// repeat.
///
/// # Errors
/// Only temporary ones: Stripe or the database does not answer. Lambda then delivers the record
/// again.
pub async fn handle(context: &PaymentService<Stripe>, record: EventRecord) -> Result<()> {
    let keys = &record.change.keys;
    let pk = keys.get("pk").and_then(|pk| {
        if let serde_dynamo::AttributeValue::S(pk) = pk { Some(pk.as_str()) } else { None }
    });
    match pk.and_then(StreamSubject::parse) {
        Some(StreamSubject::StripeEvent(id)) => context.apply(&id).await,
        Some(StreamSubject::Order(id)) => {
            Span::current().record("order", display(&id));
            context.settle_order(&id).await
        }
        // The event source mapping filters everything else out.
        None => Ok(()),
    }
}

impl<P: StripeApi> PaymentService<P> {
    /// Applies a stored event that has not been applied yet.
    ///
    /// # Errors
    /// When Stripe or the database does not answer.
    pub async fn apply(&self, id: &StripeEventId) -> Result<()> {
        let Some(event) = self.store.stripe_event(id).await? else { return Ok(()) };
        if event.handled.is_some() {
            return Ok(());
        }
        let webhook = WebhookEvent::parse(event.payload.as_bytes());
        if let Some(order) = &webhook.order {
            Span::current().record("order", display(order));
        }
        let handled = self.outcome_of(&webhook).await?;
        let (outcome, reason) =
            (handled.outcome.as_str(), handled.reason.as_deref().unwrap_or_default());
        if let Some(order) = &handled.order_id {
            Span::current().record("order", display(order));
        }
        match handled.outcome {
            EventOutcome::Mismatch | EventOutcome::Unreadable => {
                tracing::error!(event = %id, kind = event.kind, outcome, reason, "event {id} needs an administrator: {outcome} {reason}");
            }
            _ => {
                tracing::info!(event = %id, kind = event.kind, outcome, reason, "event {id} is {outcome}")
            }
        }
        self.store.record_event_result(&event, handled).await
    }

    async fn outcome_of(&self, webhook: &WebhookEvent) -> Result<EventResult> {
        let result = |outcome, reason: Option<&str>, order_id| EventResult {
            outcome,
            reason: reason.map(str::to_owned),
            order_id,
            at: Timestamp::now(),
        };
        let subject = match webhook.subject() {
            Ok(subject) => subject,
            Err(IgnoredEvent::Type) => {
                return Ok(result(EventOutcome::Ignored, Some("type"), None));
            }
            Err(IgnoredEvent::NoIntent) => {
                return Ok(result(EventOutcome::Ignored, Some("no_intent"), None));
            }
            Err(IgnoredEvent::Unreadable) => {
                return Ok(result(EventOutcome::Unreadable, None, None));
            }
        };
        Ok(match self.sync_intent(&subject.intent, subject.with_refunds).await? {
            SyncOutcome::Applied(order) => {
                result(EventOutcome::Applied, None, Some(self.settle(order).await?.id))
            }
            SyncOutcome::Unchanged(order) => {
                result(EventOutcome::Unchanged, None, Some(self.settle(order).await?.id))
            }
            SyncOutcome::NoIntent => result(EventOutcome::Ignored, Some("unknown_intent"), None),
            SyncOutcome::NoOrderNamed => {
                result(EventOutcome::Ignored, Some("no_order_named"), None)
            }
            SyncOutcome::NoSuchOrder(id) => {
                result(EventOutcome::Mismatch, Some("no_such_order"), Some(id))
            }
            SyncOutcome::Mismatch(id, mismatch) => {
                result(EventOutcome::Mismatch, Some(mismatch.as_str()), Some(id))
            }
        })
    }

    /// Does at Stripe what the order needs: cancels its intent or refunds its payment. Does nothing
    /// if Stripe refused the last refund, because the reconciler tries it again later.
    ///
    /// # Errors
    /// When Stripe or the database does not answer.
    pub async fn settle_order(&self, id: &OrderId) -> Result<()> {
        match self.store.order(id).await? {
            Some(order) if !order.last_refund_was_refused() => self.settle(order).await.map(drop),
            _ => Ok(()),
        }
    }
}
