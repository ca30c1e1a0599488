//! `GET /orders/{id}`: an order, for its client, its worker, administrators, and any worker while it is open.

use shared::domain::ids::OrderId;
use shared::domain::order::Visibility;
use shared::error::{Error, Result};

use super::OrderView;
use crate::context::Context;
use crate::http::{Reply, Request, active, bearer};

/// One order, with what the caller may do now.
///
/// # Errors
/// 404 when it is not there or not for the caller to know of.
pub async fn handle(context: &Context, request: Request) -> Result<Reply> {
    let claims = bearer(&request, &context.verifier)?;
    let id: OrderId = request.path_id("order")?;
    let (account, order) = context.store.account_and_order(&claims.sub, &id).await?;
    let caller = active(&claims, account.as_ref())?;
    let order = order.filter(|o| o.visibility(&caller) != Visibility::None).ok_or_else(|| Error::not_found("order"))?;
    if request.has_current(order.version) {
        return Reply::not_modified().etag(order.version);
    }
    Reply::ok(&OrderView::new(&order, &order.actions(&caller)))?.etag(order.version)
}
