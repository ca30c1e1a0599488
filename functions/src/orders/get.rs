//! `GET /orders/{id}`: one order, for its client, its worker, administrators and, while it is open,
//! any worker.

use shared::domain::ids::OrderId;
use shared::domain::order::diagram;
use shared::error::Result;

use super::{OrderView, read};
use crate::http::{Endpoint, Reply, Request, Who};
use crate::openapi::{Answer, Operation};
use crate::runtime::context::Context;

const ENDPOINT: Endpoint = Endpoint::get("/orders/{id}", Who::User);

/// Returns one order with the actions that the caller may take now.
///
/// # Errors
/// 404 when there is no such order, or the caller may not see it.
pub async fn handle(context: &Context, request: Request) -> Result<Reply> {
    let claims = request.caller(ENDPOINT.who, &context.verifier)?;
    let id: OrderId = request.path_id("order")?;
    let (caller, order) = read::visible_order(&context.store, &claims, &id).await?;
    OrderView::reply(&order, &caller, false)
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "Read an order")
        .details(format!(
            "For the order's client, its worker, administrators and, while it is open, any worker. \
             `actions` lists what you may do now. This table has all transitions. The first one \
             creates the order. A timer sets `deadline`. When it runs out, the order is canceled \
             or completed.\n\n{}",
            diagram::table()
        ))
        .id::<OrderId>()
        .answer(Answer::ok::<OrderView<'_>>("The order.").etag())
        .if_none_match()
}
