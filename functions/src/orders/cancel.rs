//! `POST /orders/{id}/cancel`: its client or an administrator calls an order off. What was paid
//! goes back; what could still be paid can be no more.

use shared::domain::order::Transition;
use shared::error::{Result, catalogue};

use super::described::{self, WithReason};
use super::mover::{Asked, Mover};
use super::read;
use crate::http::{Reply, Request};
use crate::openapi::{Operation, Who};
use crate::payments::{Paying, cancel::IntentFirst};

/// The order, canceled.
///
/// # Errors
/// As every move of an order (see the transition table in `docs/order-lifecycle.md`), 422 without a
/// reason, and 503 when the order waits for its payment and Stripe does not answer: then nothing
/// was changed.
pub async fn handle(context: &Paying, request: Request) -> Result<Reply> {
    let asked = Asked::of(&request, &context.verifier, "orders-cancel")?;
    let WithReason { reason } = request.body_as()?;
    let payments = &context.payments;
    let (caller, order) = read::with_caller(&payments.store, &asked.claims, &asked.id).await?;
    let ask = asked.to_move(Transition::Cancel, caller).note(Some(reason));
    let mover = Mover { store: &payments.store, timers: &payments.timers };
    asked.make(mover, order, ask, IntentFirst::at(&payments.stripe)).await
}

/// In the API description.
pub fn describe() -> Operation {
    described::with_reason("/orders/{id}/cancel", "orders-cancel", "Call an order off", Who::User)
        .details(
            "For its client, while nobody has it, and for administrators. What was paid goes back.",
        )
        .problems(&[&catalogue::PAYMENTS_UNAVAILABLE])
}
