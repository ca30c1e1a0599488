//! `GET /orders/open`: the pool of paid orders that workers can claim, oldest first.

use shared::domain::order::{ActorKind, Order};
use shared::domain::text::CategoryKey;
use shared::error::Result;

use super::OrderView;
use crate::http::page::{Cursor, Limit};
use crate::http::{Endpoint, Reply, Request, Who, body, page};
use crate::openapi::{Answer, Operation};
use crate::runtime::context::Listing;

const ENDPOINT: Endpoint = Endpoint::get("/orders/open", Who::Worker);

body! {
    /// Filters of the list.
    struct Query {
        /// Only orders of this category, in any letter case and spacing. Default: all.
        category: Option<CategoryKey>,
        limit: Option<Limit>,
        cursor: Option<Cursor>,
    }
}

/// Returns one page of the pool.
///
/// # Errors
/// 403 unless the caller is a worker; 422 for wrong or unknown parameters; 400 for a cursor of
/// another list.
pub async fn handle(context: &Listing, request: Request) -> Result<Reply> {
    let claims = request.caller(ENDPOINT.who, &context.verifier)?;
    let Query { category, limit, cursor } = request.query_as()?;
    let page = page::page_request(limit, cursor);
    let listed = context.store.open_orders(category.as_ref(), &page, &context.cursors).await?;
    let actions = |order: &Order| match order.client.id == claims.sub {
        // The caller was a client once, and this is their own order.
        true => Vec::new(),
        false => order.actions_as(ActorKind::Worker),
    };
    let items = listed.items.iter().map(|order| OrderView::new(order, &actions(order))).collect();
    page::reply(&request, items, listed.next_cursor)
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "List the orders that can be claimed")
        .details("The pool: all orders that are paid and that no worker has claimed, oldest first.")
        .query::<Query>()
        .answer(Answer::page::<OrderView<'_>>("One page of orders."))
}
