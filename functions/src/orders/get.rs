//! `GET /orders/{id}`: an order, for its client, its worker, administrators, and any worker while
//! it is open.

use shared::domain::ids::OrderId;
use shared::error::Result;

use super::{OrderView, read};
use crate::context::Context;
use crate::http::{Reply, Request, bearer};
use crate::openapi::{Answer, Operation, Who};

/// One order, with what the caller may do now.
///
/// # Errors
/// 404 when it is not there or not for the caller to know of.
pub async fn handle(context: &Context, request: Request) -> Result<Reply> {
    let claims = bearer(&request, &context.verifier)?;
    let id: OrderId = request.path_id("order")?;
    let (caller, order) = read::visible(&context.store, &claims, &id).await?;
    OrderView::reply(&order, &caller, false)
}

/// In the API description.
pub fn describe() -> Operation {
    Operation::get("/orders/{id}", "orders-get", "An order, with what the caller may do now")
        .who(Who::User)
        .details(
            "For its client, its worker and administrators, and for any worker while it is open.",
        )
        .id::<OrderId>()
        .answer(Answer::ok::<OrderView<'_>>("The order.").etag())
        .if_none_match()
}
