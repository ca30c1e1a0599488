//! `POST /orders/{id}/payment/cancel`: its client calls an order off. The intent is canceled first,
//! so that nobody pays for what is canceled; if the card was charged in that instant, the money
//! goes back. `POST /orders/{id}/cancel` takes the same road.

use serde_json::json;
use shared::domain::ids::OrderId;
use shared::domain::order::{ActorContext, Order, Status, Transition, TransitionError};
use shared::domain::user::Role;
use shared::error::{Error, Result, catalogue};
use shared::payments::Payments;

use super::Paying;
use crate::http::{Empty, Reply, Request, only};
use crate::openapi::{Answer, Operation, Who};
use crate::orders::mover::{Asked, Mover, Prepare};
use crate::orders::{OrderView, read};

/// The order, canceled.
///
/// # Errors
/// As `POST /orders/{id}/cancel`.
pub async fn handle(context: &Paying, request: Request) -> Result<Reply> {
    let asked = Asked::of(&request, &context.verifier, "payments-cancel")?;
    only(&asked.claims, Role::Client)?;
    request.body_as::<Empty>()?;
    let payments = &context.payments;
    let (caller, order) = read::with_caller(&payments.store, &asked.claims, &asked.id).await?;
    let ask = asked.to_move(Transition::Cancel, caller);
    let mover = Mover { store: &payments.store, timers: &payments.timers };
    asked.make(mover, order, ask, IntentFirst::at(&payments.stripe)).await
}

/// In the API description.
pub fn describe() -> Operation {
    Operation::post(
        "/orders/{id}/payment/cancel",
        "payments-cancel",
        "Call an order and its payment off",
    )
    .who(Who::Client)
    .id::<OrderId>()
    .body::<Empty>(json!({}))
    .answer(Answer::ok::<OrderView<'_>>("The order, canceled.").etag())
    .idempotent()
    .if_match()
    .problems(&[
        &catalogue::ILLEGAL_TRANSITION,
        &catalogue::VERSION_CONFLICT,
        &catalogue::PAYMENTS_UNAVAILABLE,
    ])
}

/// Calls an order off: first its intent, if it has one that could still be paid, then itself.
///
/// What Stripe says to that is noted by `payments-apply`, as ever: that the intent is canceled, or
/// that it was paid a moment before, upon which the money goes back.
pub(crate) struct IntentFirst<'a, P> {
    stripe: &'a P,
    told: bool,
}

impl<'a, P> IntentFirst<'a, P> {
    /// At this Stripe.
    pub(crate) fn at(stripe: &'a P) -> Self {
        Self { stripe, told: false }
    }
}

impl<P: Payments> Prepare for IntentFirst<'_, P> {
    async fn prepare(
        &mut self,
        from: &Order,
        moved: std::result::Result<Order, TransitionError>,
        by: &ActorContext,
    ) -> Result<Order> {
        let called_off = match moved {
            Ok(next) => next,
            // Stripe's event about what we did a moment ago was faster. Who did it, and why, is
            // noted all the same.
            Err(TransitionError::Illegal { .. })
                if self.told && from.status == Status::Canceled =>
            {
                return Ok(from.record_cancellation_by(by.clone())?);
            }
            Err(refusal) => return Err(Error::from(refusal)),
        };
        // Of a paid order there is nothing to cancel but what was paid, and that is done when it is
        // stored that it is called off.
        let payable = from.payment_intent.as_ref().filter(|_| !from.is_charged());
        if let (Some(intent), false) = (payable, self.told) {
            self.stripe.cancel_intent(intent).await?;
            self.told = true;
        }
        Ok(called_off)
    }
}
