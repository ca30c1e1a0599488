//! `POST /orders/{id}/accept`: a worker claims a paid order. Of any number at once, one gets it.

use shared::domain::order::Transition;
use shared::error::Result;

use super::{described, mover};
use crate::context::Orders;
use crate::http::{Reply, Request};
use crate::openapi::{Operation, Who};

/// Assigns the order to the caller.
///
/// # Errors
/// As every move of an order (see the transition table in `docs/order-lifecycle.md`).
pub async fn handle(context: &Orders, request: Request) -> Result<Reply> {
    mover::with_note(context, &request, "orders-accept", Transition::Accept).await
}

/// In the API description.
pub fn describe() -> Operation {
    described::with_note("/orders/{id}/accept", "orders-accept", "Claim a paid order", Who::Worker)
}
