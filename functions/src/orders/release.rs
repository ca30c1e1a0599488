//! `POST /orders/{id}/release`: its worker gives an order back: it is in the pool again, at its
//! front.

use shared::domain::order::Transition;
use shared::error::Result;

use super::{described, mover};
use crate::context::Orders;
use crate::http::{Reply, Request};
use crate::openapi::{Operation, Who};

/// Puts the order back into the pool.
///
/// # Errors
/// As every move of an order (see the transition table in `docs/order-lifecycle.md`).
pub async fn handle(context: &Orders, request: Request) -> Result<Reply> {
    mover::with_note(context, &request, "orders-release", Transition::Release).await
}

/// In the API description.
pub fn describe() -> Operation {
    described::with_note(
        "/orders/{id}/release",
        "orders-release",
        "Give an order back to the pool",
        Who::Worker,
    )
}
