//! `POST /orders/{id}/complete`: its client accepts the delivery.

use shared::domain::order::Transition;
use shared::error::Result;

use super::mover;
use crate::context::Orders;
use crate::http::{Reply, Request};

/// Completes the order.
///
/// # Errors
/// As every move of an order (see the transition table in `docs/order-lifecycle.md`).
pub async fn handle(context: &Orders, request: Request) -> Result<Reply> {
    mover::with_note(context, &request, "orders-complete", Transition::Complete).await
}
