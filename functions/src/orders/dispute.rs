//! `POST /orders/{id}/dispute`: its client or its worker asks an administrator to decide.

use shared::domain::order::Transition;
use shared::error::Result;

use super::{described, mover};
use crate::context::Orders;
use crate::http::{Reply, Request};
use crate::openapi::{Operation, Who};

/// Marks the order disputed: an administrator resolves it.
///
/// # Errors
/// As every move of an order (see the transition table in `docs/order-lifecycle.md`), and 422
/// without a reason.
pub async fn handle(context: &Orders, request: Request) -> Result<Reply> {
    mover::with_reason(context, &request, "orders-dispute", Transition::Dispute).await
}

/// In the API description.
pub fn describe() -> Operation {
    described::with_reason(
        "/orders/{id}/dispute",
        "orders-dispute",
        "Have an administrator decide",
        Who::User,
    )
    .details("For its client and its worker.")
}
