//! `GET /orders/{id}`: an order, for its client, its worker, administrators, and any worker while
//! it is open.

use shared::domain::ids::OrderId;
use shared::domain::order::diagram;
use shared::error::Result;

use super::{OrderView, read};
use crate::http::{Endpoint, Reply, Request, Who};
use crate::openapi::{Answer, Operation};
use crate::runtime::context::Context;

const ENDPOINT: Endpoint = Endpoint::get("/orders/{id}", Who::User);

/// One order, with what the caller may do now.
///
/// # Errors
/// 404 when it is not there or not for the caller to know of.
pub async fn handle(context: &Context, request: Request) -> Result<Reply> {
    let claims = request.caller(ENDPOINT.who, &context.verifier)?;
    let id: OrderId = request.path_id("order")?;
    let (caller, order) = read::visible(&context.store, &claims, &id).await?;
    OrderView::reply(&order, &caller, false)
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "An order, with what the caller may do now")
        .details(format!(
            "For its client, its worker and administrators, and for any worker while it is open. \
             `actions` lists what the caller may do with it now. These are all transitions:\n\n{}",
            diagram::table()
        ))
        .id::<OrderId>()
        .answer(Answer::ok::<OrderView<'_>>("The order.").etag())
        .if_none_match()
}
