//! `POST /orders/{id}/payment/cancel`: its client calls an order off. The intent is canceled first, so that nobody pays for what is canceled;
//! if the card was charged in that instant, the money goes back.

use jiff::Timestamp;
use serde_json::json;
use shared::domain::ids::{OrderId, PaymentIntentId};
use shared::domain::order::{By, Order, Refusal, Status, Transition};
use shared::error::{Result, catalogue};
use shared::payments::{Payment, Payments};

use super::cashier::{ATTEMPTS, contended};
use super::{Cashier, Paying};
use crate::http::{Empty, Reply, Request, bearer, idempotency};
use crate::openapi::{Answer, Operation, Who};
use crate::orders::{OrderView, read};

/// The order, canceled.
///
/// # Errors
/// As `POST /orders/{id}/cancel`, and 503 when Stripe does not answer: then nothing was changed.
pub async fn handle(context: &Paying, request: Request) -> Result<Reply> {
    let claims = bearer(&request, &context.verifier)?;
    let id: OrderId = request.path_id("order")?;
    request.body_as::<Empty>()?;
    let key = idempotency(&request, &claims.sub, "payments-cancel")?;
    let (caller, order) = read::with_caller(&context.cashier.store, &claims, &id).await?;
    order.check_payable(&caller)?;
    if let Some(key) = &key
        && let Some(before) = order.replay(key)?
    {
        return OrderView::reply(&before, &caller, true);
    }
    request.check_if_match(order.version)?;
    let by = By::user(&caller, Timestamp::now()).idempotency(key);
    OrderView::reply(&context.cashier.cancel(order, &by).await?, &caller, false)
}

/// In the API description.
pub fn describe() -> Operation {
    Operation::post("/orders/{id}/payment/cancel", "payments-cancel", "Call an order and its payment off")
        .who(Who::Client)
        .id::<OrderId>()
        .body::<Empty>(json!({}))
        .answer(Answer::ok::<OrderView<'_>>("The order, canceled.").etag())
        .idempotent()
        .if_match()
        .problems(&[
            &catalogue::ILLEGAL_TRANSITION,
            &catalogue::ORDER_NOT_PAYABLE,
            &catalogue::VERSION_CONFLICT,
            &catalogue::PAYMENT_MISMATCH,
            &catalogue::PAYMENTS_UNAVAILABLE,
        ])
}

impl<P: Payments> Cashier<P> {
    /// Cancels the order's intent, then the order.
    async fn cancel(&self, mut order: Order, by: &By) -> Result<Order> {
        let mut canceled: Option<Payment> = None;
        for _ in 0..ATTEMPTS {
            let called_off = match order.transition(Transition::Cancel, by.clone(), &self.timers) {
                Ok(next) => next,
                // Stripe's event about what we did a moment ago was faster.
                Err(Refusal::Illegal { .. }) if canceled.is_some() && order.status == Status::Canceled => {
                    return Ok(order);
                }
                Err(refusal) => return Err(refusal.into()),
            };
            if canceled.is_none() {
                canceled = self.cancel_intent(&order).await?;
            }
            // Called off by its client first, and then what Stripe said: that the intent is canceled, or that it was paid.
            let next = match &canceled {
                Some(payment) => payment.apply(&called_off, Timestamp::now(), &self.timers)?.unwrap_or(called_off),
                None => called_off,
            };
            match self.write(&next, &order).await? {
                None => return Ok(next),
                Some(current) => order = current,
            }
        }
        Err(contended(&order))
    }

    /// Of a paid order there is nothing to cancel but what was paid, and that is done when it is stored that it is called off.
    async fn cancel_intent(&self, order: &Order) -> Result<Option<Payment>> {
        let intent: Option<&PaymentIntentId> = order.payment_intent.as_ref().filter(|_| !order.is_charged());
        match intent {
            Some(intent) => self.stripe.cancel_intent(intent).await.map(|intent| Some(Payment::of(intent))),
            None => Ok(None),
        }
    }
}
