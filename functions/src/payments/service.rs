//! Keeps orders and Stripe in step, in both directions. Each step is one call to Stripe and one
//! conditional write. It can be interrupted anywhere and repeated, because what remains to be done
//! follows from the stored order.

use jiff::Timestamp;
use shared::domain::ids::{OrderId, PaymentIntentId};
use shared::domain::order::{ActorContext, Mismatch, Order, StripeAction, Timers, TransitionError};
use shared::error::{Error, Kind, Result, catalogue};
use shared::payments::{Intent, Payment, StripeApi};
use shared::store::{EventOutcome, EventResult, Store, StripeEvent, WriteOutcome};

/// How many times a write is tried when other requests keep changing the order.
pub(super) const ATTEMPTS: usize = 10;

/// The most steps that one order may need at Stripe: cancel the intent, find that it was paid,
/// refund it.
const MAX_STEPS: usize = 4;

/// Keeps orders and Stripe in step.
#[derive(Debug)]
pub struct PaymentService<P> {
    /// The database.
    pub store: Store,
    /// Stripe.
    pub stripe: P,
    /// How long an order's timers run.
    pub timers: Timers,
}

/// The result of applying a payment's state at Stripe to its order.
#[derive(Debug)]
pub enum SyncOutcome {
    /// The order changed.
    Applied(Order),
    /// The order already had this state.
    Unchanged(Order),
    /// Stripe has no such payment intent.
    NoIntent,
    /// The intent names no order, so it does not belong to the marketplace.
    NoOrderNamed,
    /// The intent names an order that does not exist.
    NoSuchOrder(OrderId),
    /// The payment does not match the order that it names.
    Mismatch(OrderId, Mismatch),
}

impl<P: StripeApi> PaymentService<P> {
    /// Returns the order's payment intent, and creates and binds it if the order has none yet. An
    /// order has one intent: two simultaneous callers get the same one from Stripe, thanks to its
    /// idempotency key, and one of them binds it.
    ///
    /// # Errors
    /// 409 when the order can't be paid; 503 when Stripe or the database does not answer.
    pub async fn ensure_intent(&self, mut order: Order, by: &ActorContext) -> Result<Intent> {
        if let Some(id) = &order.payment_intent {
            return self.bound_intent(id).await;
        }
        let intent = self.stripe.create_intent(&order).await?;
        for _ in 0..ATTEMPTS {
            if let Some(bound) = order.payment_intent.as_ref().filter(|bound| **bound != intent.id)
            {
                // Stripe has forgotten the key and created a second intent. Nobody has seen it, so
                // nobody can pay it.
                return self.bound_intent(bound).await;
            }
            match order.attach_intent(intent.id.clone(), by.clone())? {
                // A webhook or a parallel call was faster.
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
            Error::internal(format!("an order is bound to intent {id}, which Stripe does not have"))
        })
    }

    /// Reads a payment from Stripe, and applies its state to the order that it names.
    ///
    /// # Errors
    /// 503 when Stripe or the database does not answer; 409 when other requests keep changing the
    /// order.
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
        // A status that can still change must be read after the order was, or an old status could
        // overwrite a newer one. A final status is valid at any time.
        let payment = if payment.is_final() { Some(payment) } else { None };
        self.apply_payment(order, intent, payment, with_refunds).await
    }

    /// Like [`PaymentService::sync_intent`], for an order that was just read.
    ///
    /// # Errors
    /// Those of [`PaymentService::sync_intent`].
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

    /// Does at Stripe what the order needs, until nothing more can be done now. Returns the order
    /// as it is then.
    ///
    /// # Errors
    /// 503 when Stripe or the database does not answer; 409 when other requests keep changing the
    /// order.
    pub async fn settle(&self, mut order: Order) -> Result<Order> {
        for _ in 0..MAX_STEPS {
            let Some(step) = order.stripe_action() else { return Ok(order) };
            let (intent, refused) = match step {
                StripeAction::CancelIntent { intent } => {
                    self.stripe.cancel_intent(&intent).await?;
                    (intent, None)
                }
                StripeAction::Refund { intent, amount, idempotency_key } => {
                    let refund = self.stripe.refund(&intent, amount, &idempotency_key).await;
                    (intent, refund.err())
                }
            };
            let before = order.clone();
            order = match (self.sync_order(order, &intent, true).await?, refused) {
                (SyncOutcome::Applied(order), _) => order,
                // An intent can't be canceled while the bank is processing it. Stripe will report
                // the result.
                (SyncOutcome::Unchanged(order), None) => return Ok(order),
                // Stripe refused the refund, and nothing has changed there that explains why.
                (SyncOutcome::Unchanged(order), Some(error)) => {
                    return self.record_refund_refusal(order, error).await;
                }
                // Only an administrator can resolve this.
                (SyncOutcome::Mismatch(id, mismatch), _) => {
                    self.record_mismatch(&id, &intent, mismatch).await?;
                    return Ok(before);
                }
                (other, _) => return Err(intent_is_missing(&intent, &other)),
            };
        }
        Ok(order)
    }

    /// Handles a failed refund. If Stripe refused it, records and counts the refusal on the order.
    /// Any other failure is returned as an error, so that the refund is tried again.
    async fn record_refund_refusal(&self, mut order: Order, error: Error) -> Result<Order> {
        if error.code().kind != Kind::Internal {
            return Err(error);
        }
        let (id, source) = (order.id.clone(), error.cause());
        tracing::error!(order = %id, source, "Stripe refused to refund {id}");
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

    /// Records a payment that does not match its order, for administrators. The same mismatch is
    /// recorded once, however often it is found.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(super) async fn record_mismatch(
        &self,
        order: &OrderId,
        intent: &PaymentIntentId,
        mismatch: Mismatch,
    ) -> Result<()> {
        let reason = mismatch.as_str();
        tracing::error!(%order, %intent, reason, "intent {intent} does not match {order}: {reason}");
        let handled = EventResult {
            outcome: EventOutcome::Mismatch,
            reason: Some(reason.to_owned()),
            order_id: Some(order.clone()),
            at: Timestamp::now(),
        };
        self.store.receive_event(&StripeEvent::for_mismatch(handled, intent)).await.map(drop)
    }

    /// Writes the order's next version. Returns `None` when it was written, or the current order
    /// when another request changed it first.
    pub(super) async fn write(&self, next: &Order, from: &Order) -> Result<Option<Order>> {
        match self.store.advance_order(next, from).await? {
            WriteOutcome::Written => Ok(None),
            WriteOutcome::Conflict(Some(current)) => Ok(Some(current)),
            WriteOutcome::Conflict(None) => {
                Err(Error::internal(format!("order {} no longer exists", from.id)))
            }
        }
    }
}

/// The error when Stripe does not know an order's intent: the key belongs to another Stripe
/// account.
pub(super) fn intent_is_missing(intent: &PaymentIntentId, found: &SyncOutcome) -> Error {
    Error::internal(format!("an order is bound to intent {intent}, but: {found:?}"))
}

pub(super) fn contention(order: &Order) -> Error {
    let detail = "Other requests are changing the order. Read it and try again.";
    Error::new(&catalogue::VERSION_CONFLICT, detail).with_member("version", order.version)
}
