//! `POST /orders/{id}/payment/cancel`: the order's client cancels it. The same as
//! `POST /orders/{id}/cancel`, but only for clients and without a reason.

use serde_json::json;
use shared::domain::ids::OrderId;
use shared::domain::order::Transition;
use shared::error::{Result, catalogue};

use super::PaymentChanges;
use crate::http::{Empty, Endpoint, Reply, Request, Who};
use crate::openapi::{Answer, Operation};
use crate::orders::cancel::CancelIntent;
use crate::orders::transition::TransitionRequest;
use crate::orders::{OrderView, read};

const ENDPOINT: Endpoint = Endpoint::post("/orders/{id}/payment/cancel", Who::Client);

/// Cancels the order.
///
/// # Errors
/// Those of `POST /orders/{id}/cancel`.
pub async fn handle(context: &PaymentChanges, request: Request) -> Result<Reply> {
    let parsed = TransitionRequest::parse(&request, &ENDPOINT, &context.verifier)?;
    request.body_as::<Empty>()?;
    let payments = &context.payments;
    let (caller, order) =
        read::with_caller(&payments.store, &parsed.claims, &parsed.order_id).await?;
    let command = parsed.command(Transition::Cancel, caller);
    let check = |version| request.check_if_match(version);
    let cancel_intent = CancelIntent::new(&payments.stripe);
    command
        .execute(&payments.store, &payments.timers, order, check, cancel_intent)
        .await?
        .reply(&command.caller)
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "Cancel an order and its payment")
        .details(
            "For the order's client, until a worker accepts the order. The same as \
             `POST /orders/{id}/cancel`, but without a reason.",
        )
        .id::<OrderId>()
        .body::<Empty>(json!({}))
        .answer(Answer::ok::<OrderView<'_>>("The canceled order.").etag())
        .idempotent()
        .if_match()
        .problems(&[
            &catalogue::ILLEGAL_TRANSITION,
            &catalogue::VERSION_CONFLICT,
            &catalogue::PAYMENTS_UNAVAILABLE,
        ])
}
