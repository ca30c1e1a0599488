//! `POST /orders/{id}/deliver`: its worker delivers.

use shared::domain::order::Transition;
use shared::error::Result;

use super::{described, mover};
use crate::context::Orders;
use crate::http::{Reply, Request};
use crate::openapi::{Operation, Who};

/// Marks the order delivered: its client has three days to review it.
///
/// # Errors
/// As every move of an order (see the transition table in `docs/order-lifecycle.md`).
pub async fn handle(context: &Orders, request: Request) -> Result<Reply> {
    mover::with_note(context, &request, "orders-deliver", Transition::Deliver).await
}

/// In the API description.
pub fn describe() -> Operation {
    described::with_note("/orders/{id}/deliver", "orders-deliver", "Deliver", Who::Worker)
}
