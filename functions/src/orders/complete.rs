//! `POST /orders/{id}/complete`: its client accepts the delivery.

use shared::domain::order::Transition;
use shared::error::Result;

use super::{described, mover};
use crate::context::Orders;
use crate::http::{Reply, Request};
use crate::openapi::{Operation, Who};

/// Completes the order.
///
/// # Errors
/// As every move of an order (see the transition table in `docs/order-lifecycle.md`).
pub async fn handle(context: &Orders, request: Request) -> Result<Reply> {
    mover::with_note(context, &request, "orders-complete", Transition::Complete).await
}

/// In the API description.
pub fn describe() -> Operation {
    described::with_note(
        "/orders/{id}/complete",
        "orders-complete",
        "Accept the delivery",
        Who::Client,
    )
}
