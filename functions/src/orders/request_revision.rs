//! `POST /orders/{id}/request-revision`: the order's client asks for changes to the delivery.

use serde_json::json;
use shared::domain::order::Transition;
use shared::domain::user::Role;
use shared::error::Result;

use super::Orders;
use super::transition::{self, WithNote};
use crate::http::{Endpoint, Reply, Request, Who};
use crate::openapi::Operation;

const ENDPOINT: Endpoint =
    Endpoint::post("/orders/{id}/request-revision", Who::OrderParty(&[Role::Client]));

/// Returns the order to its worker.
///
/// # Errors
/// Those of every transition (see `docs/order-lifecycle.md`).
pub async fn handle(context: &Orders, request: Request) -> Result<Reply> {
    transition::handle::<WithNote>(context, &request, &ENDPOINT, Transition::RequestRevision).await
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    let example = json!({"note": "Please make the logo larger."});
    transition::describe::<WithNote>(
        &ENDPOINT,
        &[Transition::RequestRevision],
        "Ask for changes to a delivery",
        example,
    )
    .details("Gives the order back to its worker, who can deliver it again.")
}
