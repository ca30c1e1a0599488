//! `GET /orders/open`: the pool that workers claim from: paid, unclaimed, oldest first.

use shared::domain::order::{ActorKind, Order};
use shared::domain::text::CategoryKey;
use shared::domain::user::Role;
use shared::error::Result;

use super::OrderView;
use crate::context::Listing;
use crate::http::page::{Cursor, Limit};
use crate::http::{Reply, Request, bearer, body, only, page};
use crate::openapi::{Answer, Operation, Who};

body! {
    /// Which orders.
    struct Query {
        category: Option<CategoryKey>,
        limit: Option<Limit>,
        cursor: Option<Cursor>,
    }
}

/// One page of the pool, of one category if `?category=` names one.
///
/// # Errors
/// 403 for all but workers, 422 for wrong or unknown parameters, 400 for a cursor of another list.
pub async fn handle(context: &Listing, request: Request) -> Result<Reply> {
    let claims = bearer(&request, &context.verifier)?;
    only(&claims, Role::Worker)?;
    let Query { category, limit, cursor } = request.query_as()?;
    let page = page::of(limit, cursor);
    let listed = context.store.open_orders(category.as_ref(), &page, &context.cursors).await?;
    let actions = |order: &Order| match order.client.id == claims.sub {
        // Of a worker who was a client once.
        true => Vec::new(),
        false => order.actions_as(ActorKind::Worker),
    };
    let items = listed.items.iter().map(|order| OrderView::new(order, &actions(order))).collect();
    page::reply(&request, items, listed.next_cursor)
}

/// In the API description.
pub fn describe() -> Operation {
    Operation::get("/orders/open", "orders-open", "The pool: paid, unclaimed, oldest first")
        .who(Who::Worker)
        .query::<Query>()
        .answer(Answer::page::<OrderView<'_>>("One page of the pool."))
}
