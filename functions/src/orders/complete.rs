//! `POST /orders/{id}/complete`: the order's client accepts the delivery.

use serde_json::json;
use shared::domain::order::Transition;
use shared::domain::user::Role;
use shared::error::Result;

use super::Orders;
use super::transition::{self, WithNote};
use crate::http::{Endpoint, Reply, Request, Who};
use crate::openapi::Operation;

const ENDPOINT: Endpoint =
    Endpoint::post("/orders/{id}/complete", Who::OrderParty(&[Role::Client]));

/// Completes the order.
///
/// # Errors
/// Those of every transition (see `docs/order-lifecycle.md`).
pub async fn handle(context: &Orders, request: Request) -> Result<Reply> {
    transition::handle::<WithNote>(context, &request, &ENDPOINT, Transition::Complete).await
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    let example = json!({"note": "Thank you."});
    transition::describe::<WithNote>(
        &ENDPOINT,
        &[Transition::Complete],
        "Accept the delivery",
        example,
    )
    .details("Completes the order. This is final.")
}
