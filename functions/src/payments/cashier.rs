//! Between orders and Stripe, both ways. Each step is one call to Stripe and one conditional write; each can be repeated, and can be cut off
//! anywhere, because what is left to do follows from the order as it is stored.

use jiff::Timestamp;
use shared::domain::ids::{OrderId, PaymentIntentId};
use shared::domain::order::{By, Mismatch, MoneyStep, Order, Refusal, Timers};
use shared::error::{Error, Result, catalogue};
use shared::payments::{Intent, Payment, Payments};
use shared::store::{Outcome, Store};

/// How often a write is tried again because the order changed meanwhile.
pub(super) const ATTEMPTS: usize = 10;

/// What one order may need at Stripe, one after the other: cancel the intent, find it paid, refund it.
const STEPS: usize = 4;

/// The store and Stripe.
#[derive(Debug)]
pub struct Cashier<P> {
    /// The data.
    pub store: Store,
    /// The money.
    pub stripe: P,
    /// How long an order's timers run.
    pub timers: Timers,
}

/// What became of Stripe's word about a payment.
#[derive(Debug)]
pub enum Followed {
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

impl<P: Payments> Cashier<P> {
    /// The order's payment intent: made, and bound to the order, if it has none yet. One order, one intent: of two callers at once both
    /// get the same from Stripe (by its idempotency key), and one of them binds it.
    pub async fn intent_of(&self, mut order: Order, by: &By) -> Result<Intent> {
        if let Some(id) = &order.payment_intent {
            return self.bound_intent(id).await;
        }
        let intent = self.stripe.create_intent(&order).await?;
        for _ in 0..ATTEMPTS {
            if let Some(bound) = order.payment_intent.as_ref().filter(|bound| **bound != intent.id) {
                // Stripe has forgotten the key and made another one. Nobody has seen that, so nobody can pay it.
                return self.bound_intent(bound).await;
            }
            match order.bind_intent(intent.id.clone(), by.clone())? {
                // A webhook, or the same call twice at once, was faster.
                None => return Ok(intent),
                Some(next) => match self.write(&next, &order).await? {
                    None => return Ok(intent),
                    Some(current) => order = current,
                },
            }
        }
        Err(contended(&order))
    }

    async fn bound_intent(&self, id: &PaymentIntentId) -> Result<Intent> {
        let intent = self.stripe.intent(id).await?;
        intent.ok_or_else(|| Error::internal(format!("Stripe has no intent {id}, which an order is bound to")))
    }

    /// Asks Stripe about a payment, and has the order that it is for take note.
    pub async fn follow(&self, intent: &PaymentIntentId, thoroughly: bool) -> Result<Followed> {
        let Some(payment) = Payment::ask(&self.stripe, intent, thoroughly).await? else {
            return Ok(Followed::NoIntent);
        };
        let Some(named) = &payment.intent.order_id else { return Ok(Followed::NoOrderNamed) };
        let Ok(id) = named.parse::<OrderId>() else { return Ok(Followed::NoOrderNamed) };
        let Some(order) = self.store.order(&id).await? else { return Ok(Followed::NoSuchOrder(id)) };
        // Statuses that replace one another must be younger than the order as it was read, or an old one could overwrite a new one. The others
        // are final, and hold at any time.
        let payment = if payment.is_final() { Some(payment) } else { None };
        self.take_note(order, intent, payment, thoroughly).await
    }

    /// As [`Cashier::follow`], for an order that was just read.
    pub async fn follow_order(&self, order: Order, intent: &PaymentIntentId, thoroughly: bool) -> Result<Followed> {
        self.take_note(order, intent, None, thoroughly).await
    }

    async fn take_note(
        &self,
        mut order: Order,
        intent: &PaymentIntentId,
        mut known: Option<Payment>,
        thoroughly: bool,
    ) -> Result<Followed> {
        for _ in 0..ATTEMPTS {
            let payment = match known.take() {
                Some(payment) => payment,
                None => match Payment::ask(&self.stripe, intent, thoroughly).await? {
                    Some(payment) => payment,
                    None => return Ok(Followed::NoIntent),
                },
            };
            let next = match payment.apply(&order, Timestamp::now(), &self.timers) {
                Ok(Some(next)) => next,
                Ok(None) => return Ok(Followed::Unchanged(order)),
                Err(Refusal::Mismatch(mismatch)) => return Ok(Followed::Mismatch(order.id, mismatch)),
                Err(refusal) => return Err(refusal.into()),
            };
            match self.write(&next, &order).await? {
                None => {
                    let (id, status) = (&next.id, next.payment_status.as_str());
                    tracing::info!(order = %id, %intent, status, "payment of {id} is {status}");
                    return Ok(Followed::Applied(next));
                }
                Some(current) => order = current,
            }
            known = payment.is_final().then_some(payment);
        }
        Err(contended(&order))
    }

    /// Does at Stripe what the order needs done there, until it needs nothing that can be done now.
    pub async fn settle(&self, mut order: Order) -> Result<Order> {
        for _ in 0..STEPS {
            let Some(step) = order.money_step() else { return Ok(order) };
            let (intent, refused) = match step {
                MoneyStep::CancelIntent { intent } => {
                    self.stripe.cancel_intent(&intent).await?;
                    (intent, None)
                }
                MoneyStep::Refund { intent, amount, idempotency_key } => {
                    let made = self.stripe.refund(&intent, amount, &idempotency_key).await;
                    (intent, made.err())
                }
            };
            order = match (self.follow_order(order, &intent, true).await?, refused) {
                (Followed::Applied(order), _) => order,
                // Stripe would not, and nothing has changed there that would say why: it stays to be done.
                (_, Some(error)) => return Err(error),
                // The bank decides: the intent can't be canceled while it is processing. Stripe will say how that ended.
                (Followed::Unchanged(order), None) => return Ok(order),
                (other, None) => {
                    return Err(Error::internal(format!("intent {intent} does not fit its order: {other:?}")));
                }
            };
        }
        Ok(order)
    }

    /// Writes the order's next version; `None` when that was done, or the order as someone faster left it.
    pub(super) async fn write(&self, next: &Order, from: &Order) -> Result<Option<Order>> {
        match self.store.advance_order(next, from).await? {
            Outcome::Written => Ok(None),
            Outcome::Conflict(Some(current)) => Ok(Some(current)),
            Outcome::Conflict(None) => Err(Error::internal(format!("order {} is gone", from.id))),
        }
    }
}

pub(super) fn contended(order: &Order) -> Error {
    let detail = "The order is being changed by others. Read it, and try again.";
    Error::new(&catalogue::VERSION_CONFLICT, detail).with("version", order.version)
}
