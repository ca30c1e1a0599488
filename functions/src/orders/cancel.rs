//! `POST /orders/{id}/cancel`: the order's client or an administrator cancels it. A payment is
//! refunded; a payment intent that could still be paid is canceled first.

use serde_json::json;
use shared::auth::Verifier;
use shared::domain::order::{ActorContext, Order, Status, Timers, Transition, TransitionError};
use shared::domain::user::Role;
use shared::error::{Error, Result, catalogue};
use shared::payments::{Stripe, StripeApi};
use shared::store::Store;

use super::read;
use super::transition::{self, BeforeWrite, TransitionRequest, WithReason};
use crate::http::{Endpoint, Reply, Request, Who};
use crate::openapi::Operation;
use crate::runtime::context::context;

const ENDPOINT: Endpoint =
    Endpoint::post("/orders/{id}/cancel", Who::OrderParty(&[Role::Client, Role::Admin]));

context! {
    /// For canceling orders.
    Cancellation {
        /// The database.
        store: Store,
        /// Verifies access tokens.
        verifier: Verifier,
        /// How long an order's timers run.
        timers: Timers,
        /// Cancels payment intents.
        stripe: Stripe,
    }
}

/// Cancels the order.
///
/// # Errors
/// Those of every transition (see `docs/order-lifecycle.md`), 422 without a reason, and 503 when
/// the order waits for its payment and Stripe does not answer. After a 503 nothing has changed.
pub async fn handle(context: &Cancellation, request: Request) -> Result<Reply> {
    let parsed = TransitionRequest::parse(&request, &ENDPOINT, &context.verifier)?;
    let WithReason { reason } = request.body_as()?;
    let (caller, order) =
        read::with_caller(&context.store, &parsed.claims, &parsed.order_id).await?;
    let command = parsed.command(Transition::Cancel, caller).note(Some(reason.into()));
    let check = |version| request.check_if_match(version);
    let cancel_intent = CancelIntent::new(&context.stripe);
    command
        .execute(&context.store, &context.timers, order, check, cancel_intent)
        .await?
        .reply(&command.caller)
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    let example = json!({"reason": "This is not what was ordered."});
    transition::describe::<WithReason>(&ENDPOINT, &[Transition::Cancel], "Cancel an order", example)
        .details(
            "For administrators and, until a worker accepts the order, its client. A payment is \
             refunded.",
        )
        .problems(&[&catalogue::PAYMENTS_UNAVAILABLE])
}

/// Cancels the order's payment intent, if it could still be paid, before the order is canceled, so
/// that nobody can pay for a canceled order.
///
/// `payments-apply` records the result at Stripe, as always: the intent is canceled, or it was paid
/// a moment earlier. In the second case, the payment is refunded.
pub(crate) struct CancelIntent<'a, P> {
    stripe: &'a P,
    canceled: bool,
}

impl<'a, P> CancelIntent<'a, P> {
    /// Cancels intents through this client.
    pub(crate) fn new(stripe: &'a P) -> Self {
        Self { stripe, canceled: false }
    }
}

impl<P: StripeApi> BeforeWrite for CancelIntent<'_, P> {
    async fn prepare(
        &mut self,
        from: &Order,
        next: std::result::Result<Order, TransitionError>,
        by: &ActorContext,
    ) -> Result<Order> {
        let canceled = match next {
            Ok(next) => next,
            // Stripe's event about our own call was faster and canceled the order. The history
            // still records who canceled it and why.
            Err(TransitionError::Illegal { .. })
                if self.canceled && from.status == Status::Canceled =>
            {
                return Ok(from.record_cancellation_by(by.clone())?);
            }
            Err(refusal) => return Err(Error::from(refusal)),
        };
        // A paid intent can't be canceled. `payments-apply` refunds it once the cancellation is
        // stored.
        let payable = from.payment_intent.as_ref().filter(|_| !from.is_charged());
        if let (Some(intent), false) = (payable, self.canceled) {
            self.stripe.cancel_intent(intent).await?;
            self.canceled = true;
        }
        Ok(canceled)
    }
}
