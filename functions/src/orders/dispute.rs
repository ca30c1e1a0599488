//! `POST /orders/{id}/dispute`: the order's client or worker asks an administrator to decide.

use serde_json::json;
use shared::domain::order::Transition;
use shared::domain::user::Role;
use shared::error::Result;

use super::Orders;
use super::transition::{self, WithReason};
use crate::http::{Endpoint, Reply, Request, Who};
use crate::openapi::Operation;

const ENDPOINT: Endpoint =
    Endpoint::post("/orders/{id}/dispute", Who::OrderParty(&[Role::Client, Role::Worker]));

/// Marks the order as disputed. An administrator resolves it.
///
/// # Errors
/// Those of every transition (see `docs/order-lifecycle.md`), and 422 without a reason.
pub async fn handle(context: &Orders, request: Request) -> Result<Reply> {
    transition::handle::<WithReason>(context, &request, &ENDPOINT, Transition::Dispute).await
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    let example = json!({"reason": "This is not what was ordered."});
    transition::describe::<WithReason>(
        &ENDPOINT,
        &[Transition::Dispute],
        "Ask an administrator to decide",
        example,
    )
    .details(
        "The order then waits until an administrator decides with `POST /orders/{id}/resolve`.",
    )
}
