//! `POST /orders/{id}/request-revision`: its client wants a delivery changed.

use shared::domain::order::Transition;
use shared::error::Result;

use super::{described, mover};
use crate::context::Orders;
use crate::http::{Reply, Request};
use crate::openapi::{Operation, Who};

/// Gives the order back to its worker.
///
/// # Errors
/// As every move of an order (see the transition table in `docs/order-lifecycle.md`).
pub async fn handle(context: &Orders, request: Request) -> Result<Reply> {
    mover::with_note(context, &request, "orders-request-revision", Transition::RequestRevision)
        .await
}

/// In the API description.
pub fn describe() -> Operation {
    described::with_note(
        "/orders/{id}/request-revision",
        "orders-request-revision",
        "Ask for a delivery to be changed",
        Who::Client,
    )
}
