//! `POST /orders/{id}/deliver`: the order's worker delivers.

use serde_json::json;
use shared::domain::order::Transition;
use shared::domain::user::Role;
use shared::error::Result;

use super::Orders;
use super::transition::{self, WithNote};
use crate::http::{Endpoint, Reply, Request, Who};
use crate::openapi::Operation;

const ENDPOINT: Endpoint = Endpoint::post("/orders/{id}/deliver", Who::OrderParty(&[Role::Worker]));

/// Marks the order as delivered. Its client then has three days to review it.
///
/// # Errors
/// Those of every transition (see `docs/order-lifecycle.md`).
pub async fn handle(context: &Orders, request: Request) -> Result<Reply> {
    transition::handle::<WithNote>(context, &request, &ENDPOINT, Transition::Deliver).await
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    let example = json!({"note": "Here are the three drafts."});
    transition::describe::<WithNote>(&ENDPOINT, &[Transition::Deliver], "Deliver the work", example).details(
        "The client can then accept the delivery, ask for changes or dispute it. If the client has \
         done nothing by the order's `deadline`, the order is completed.",
    )
}
