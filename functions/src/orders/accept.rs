//! `POST /orders/{id}/accept`: a worker claims a paid order. If several try at once, one gets it.

use serde_json::json;
use shared::domain::order::Transition;
use shared::error::Result;

use super::Orders;
use super::transition::{self, WithNote};
use crate::http::{Endpoint, Reply, Request, Who};
use crate::openapi::Operation;

const ENDPOINT: Endpoint = Endpoint::post("/orders/{id}/accept", Who::Worker);

/// Assigns the order to the caller.
///
/// # Errors
/// Those of every transition (see `docs/order-lifecycle.md`).
pub async fn handle(context: &Orders, request: Request) -> Result<Reply> {
    transition::handle::<WithNote>(context, &request, &ENDPOINT, Transition::Accept).await
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    let example = json!({"note": "I will start on Monday."});
    transition::describe::<WithNote>(
        &ENDPOINT,
        &[Transition::Accept],
        "Claim a paid order",
        example,
    )
    .details("Assigns the order to you. If several workers claim it at once, one of them gets it.")
}
