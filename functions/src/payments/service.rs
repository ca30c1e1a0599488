//! Between orders and Stripe, both ways. Each step is one call to Stripe and one conditional write;
//! each can be repeated, and can be cut off anywhere, because what is left to do follows from the
//! order as it is stored.

use jiff::Timestamp;
use shared::domain::ids::{OrderId, PaymentIntentId};
use shared::domain::order::{ActorContext, Mismatch, Order, StripeAction, Timers, TransitionError};
use shared::error::{Error, Kind, Result, catalogue};
use shared::payments::{Intent, Payment, StripeApi};
use shared::store::{EventOutcome, EventResult, Store, StripeEvent, WriteOutcome};

/// How often a write is tried again because the order changed meanwhile.
pub(super) const ATTEMPTS: usize = 10;

/// What one order may need at Stripe, one after the other: cancel the intent, find it paid, refund
/// it.
const STEPS: usize = 4;

/// The store and Stripe.
#[derive(Debug)]
pub struct PaymentService<P> {
    /// The data.
    pub store: Store,
    /// The money.
    pub stripe: P,
    /// How long an order's timers run.
    pub timers: Timers,
}

/// What became of Stripe's word about a payment.
#[derive(Debug)]
pub enum SyncOutcome {
    /// It changed the order.
    Applied(Order),
    /// The order knew already.
    Unchanged(Order),
    /// Stripe has no such intent.
    NoIntent,
    /// The intent names no order: it is none of ours.
    NoOrderNamed,
    /// The intent names an order that there is not.
    NoSuchOrder(OrderId),
    /// It does not fit the order that it names.
    Mismatch(OrderId, Mismatch),
}

impl<P: StripeApi> PaymentService<P> {
    /// The order's payment intent: made, and bound to the order, if it has none yet. One order, one
    /// intent: of two callers at once both get the same from Stripe (by its idempotency key), and
    /// one of them binds it.
    pub async fn ensure_intent(&self, mut order: Order, by: &ActorContext) -> Result<Intent> {
        if let Some(id) = &order.payment_intent {
            return self.bound_intent(id).await;
        }
        let intent = self.stripe.create_intent(&order).await?;
        for _ in 0..ATTEMPTS {
            if let Some(bound) = order.payment_intent.as_ref().filter(|bound| **bound != intent.id)
            {
                // Stripe has forgotten the key and made another one. Nobody has seen that, so
                // nobody can pay it.
                return self.bound_intent(bound).await;
            }
            match order.attach_intent(intent.id.clone(), by.clone())? {
                // A webhook, or the same call twice at once, was faster.
                None => return Ok(intent),
                Some(next) => match self.write(&next, &order).await? {
                    None => return Ok(intent),
                    Some(current) => order = current,
                },
            }
        }
        Err(contention(&order))
    }

    async fn bound_intent(&self, id: &PaymentIntentId) -> Result<Intent> {
        let intent = self.stripe.intent(id).await?;
        intent.ok_or_else(|| {
            Error::internal(format!("Stripe has no intent {id}, which an order is bound to"))
        })
    }

    /// Asks Stripe about a payment, and has the order that it is for take note.
    pub async fn sync_intent(
        &self,
        intent: &PaymentIntentId,
        with_refunds: bool,
    ) -> Result<SyncOutcome> {
        let Some(payment) = Payment::fetch(&self.stripe, intent, with_refunds).await? else {
            return Ok(SyncOutcome::NoIntent);
        };
        let Some(named) = &payment.intent.order_id else { return Ok(SyncOutcome::NoOrderNamed) };
        let Ok(id) = named.parse::<OrderId>() else { return Ok(SyncOutcome::NoOrderNamed) };
        let Some(order) = self.store.order(&id).await? else {
            return Ok(SyncOutcome::NoSuchOrder(id));
        };
        // Statuses that replace one another must be younger than the order as it was read, or an
        // old one could overwrite a new one. The others are final, and hold at any time.
        let payment = if payment.is_final() { Some(payment) } else { None };
        self.apply_payment(order, intent, payment, with_refunds).await
    }

    /// As [`PaymentService::sync_intent`], for an order that was just read.
    pub async fn sync_order(
        &self,
        order: Order,
        intent: &PaymentIntentId,
        with_refunds: bool,
    ) -> Result<SyncOutcome> {
        self.apply_payment(order, intent, None, with_refunds).await
    }

    async fn apply_payment(
        &self,
        mut order: Order,
        intent: &PaymentIntentId,
        mut known: Option<Payment>,
        with_refunds: bool,
    ) -> Result<SyncOutcome> {
        for _ in 0..ATTEMPTS {
            let payment = match known.take() {
                Some(payment) => payment,
                None => match Payment::fetch(&self.stripe, intent, with_refunds).await? {
                    Some(payment) => payment,
                    None => return Ok(SyncOutcome::NoIntent),
                },
            };
            let next = match payment.apply(&order, Timestamp::now(), &self.timers) {
                Ok(Some(next)) => next,
                Ok(None) => return Ok(SyncOutcome::Unchanged(order)),
                Err(TransitionError::Mismatch(mismatch)) => {
                    return Ok(SyncOutcome::Mismatch(order.id, mismatch));
                }
                Err(refusal) => return Err(refusal.into()),
            };
            match self.write(&next, &order).await? {
                None => {
                    let (id, status) = (&next.id, next.payment_status.as_str());
                    tracing::info!(order = %id, %intent, status, "payment of {id} is {status}");
                    return Ok(SyncOutcome::Applied(next));
                }
                Some(current) => order = current,
            }
            known = payment.is_final().then_some(payment);
        }
        Err(contention(&order))
    }

    /// Does at Stripe what the order needs done there, until it needs nothing that can be done now.
    pub async fn settle(&self, mut order: Order) -> Result<Order> {
        for _ in 0..STEPS {
            let Some(step) = order.stripe_action() else { return Ok(order) };
            let (intent, refused) = match step {
                StripeAction::CancelIntent { intent } => {
                    self.stripe.cancel_intent(&intent).await?;
                    (intent, None)
                }
                StripeAction::Refund { intent, amount, idempotency_key } => {
                    let made = self.stripe.refund(&intent, amount, &idempotency_key).await;
                    (intent, made.err())
                }
            };
            let before = order.clone();
            order = match (self.sync_order(order, &intent, true).await?, refused) {
                (SyncOutcome::Applied(order), _) => order,
                // The bank decides: the intent can't be canceled while it is processing. Stripe
                // will say how that ended.
                (SyncOutcome::Unchanged(order), None) => return Ok(order),
                // Stripe would not, and nothing has changed there that would say why.
                (SyncOutcome::Unchanged(order), Some(error)) => {
                    return self.record_refusal(order, error).await;
                }
                // Nothing that we could do: an administrator has to.
                (SyncOutcome::Mismatch(id, mismatch), _) => {
                    self.record_mismatch(&id, &intent, mismatch).await?;
                    return Ok(before);
                }
                (other, _) => return Err(intent_is_missing(&intent, &other)),
            };
        }
        Ok(order)
    }

    /// A refund was not made. That Stripe does not answer just now passes; a refusal is noted with
    /// the order, and counts.
    async fn record_refusal(&self, mut order: Order, error: Error) -> Result<Order> {
        if error.code().kind != Kind::Internal {
            return Err(error);
        }
        let (id, source) = (order.id.clone(), error.cause());
        tracing::error!(order = %id, source, "Stripe would not refund {id}");
        for _ in 0..ATTEMPTS {
            if !matches!(order.stripe_action(), Some(StripeAction::Refund { .. })) {
                return Ok(order);
            }
            let next = order.record_refund_refusal(Timestamp::now());
            match self.write(&next, &order).await? {
                None => return Ok(next),
                Some(current) => order = current,
            }
        }
        Err(contention(&order))
    }

    /// Files, where administrators look, what was found by asking and does not fit its order. Once,
    /// however often it is found.
    pub(super) async fn record_mismatch(
        &self,
        order: &OrderId,
        intent: &PaymentIntentId,
        mismatch: Mismatch,
    ) -> Result<()> {
        let reason = mismatch.as_str();
        tracing::error!(%order, %intent, reason, "intent {intent} does not fit {order}: {reason}");
        let handled = EventResult {
            outcome: EventOutcome::Mismatch,
            reason: Some(reason.to_owned()),
            order_id: Some(order.clone()),
            at: Timestamp::now(),
        };
        self.store.receive_event(&StripeEvent::finding(handled, intent)).await.map(drop)
    }

    /// Writes the order's next version; `None` when that was done, or the order as someone faster
    /// left it.
    pub(super) async fn write(&self, next: &Order, from: &Order) -> Result<Option<Order>> {
        match self.store.advance_order(next, from).await? {
            WriteOutcome::Written => Ok(None),
            WriteOutcome::Conflict(Some(current)) => Ok(Some(current)),
            WriteOutcome::Conflict(None) => {
                Err(Error::internal(format!("order {} is gone", from.id)))
            }
        }
    }
}

/// Stripe does not know the intent that an order is bound to: a key of another account.
pub(super) fn intent_is_missing(intent: &PaymentIntentId, found: &SyncOutcome) -> Error {
    Error::internal(format!("intent {intent}, which an order is bound to: {found:?}"))
}

pub(super) fn contention(order: &Order) -> Error {
    let detail = "The order is being changed by others. Read it, and try again.";
    Error::new(&catalogue::VERSION_CONFLICT, detail).with("version", order.version)
}
