//! `POST /orders/{id}/release`: the order's worker gives it back. It returns to the front of the
//! pool.

use serde_json::json;
use shared::domain::order::Transition;
use shared::domain::user::Role;
use shared::error::Result;

use super::Orders;
use super::transition::{self, WithNote};
use crate::http::{Endpoint, Reply, Request, Who};
use crate::openapi::Operation;

const ENDPOINT: Endpoint = Endpoint::post("/orders/{id}/release", Who::OrderParty(&[Role::Worker]));

/// Puts the order back into the pool.
///
/// # Errors
/// Those of every transition (see `docs/order-lifecycle.md`).
pub async fn handle(context: &Orders, request: Request) -> Result<Reply> {
    transition::handle::<WithNote>(context, &request, &ENDPOINT, Transition::Release).await
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    let example = json!({"note": "I am ill this week."});
    transition::describe::<WithNote>(
        &ENDPOINT,
        &[Transition::Release],
        "Return an order to the pool",
        example,
    )
    .details("Other workers can then claim it, and you can claim it again.")
}
