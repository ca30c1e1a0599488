//! `GET /orders`: a client's own, a worker's assigned, an administrator's all; newest first.

use shared::domain::order::{ActorKind, Status};
use shared::domain::user::Role;
use shared::error::Result;
use shared::store::OrdersOf;

use super::OrderView;
use crate::context::Listing;
use crate::http::page::{Cursor, Limit};
use crate::http::{Reply, Request, bearer, body, page};
use crate::openapi::{Answer, Operation, Who};

body! {
    /// Which orders.
    struct Query {
        status: Option<Status>,
        limit: Option<Limit>,
        cursor: Option<Cursor>,
    }
}

/// One page of orders, in one state if `?status=` names one.
///
/// # Errors
/// 422 for wrong or unknown parameters, 400 for a cursor of another list.
pub async fn handle(context: &Listing, request: Request) -> Result<Reply> {
    let claims = bearer(&request, &context.verifier)?;
    let Query { status, limit, cursor } = request.query_as()?;
    let page = page::of(limit, cursor);
    let (of, kind) = match claims.role {
        Role::Client => (OrdersOf::Client(&claims.sub), ActorKind::Client),
        Role::Worker => (OrdersOf::Worker(&claims.sub), ActorKind::Worker),
        Role::Admin => (OrdersOf::Everyone, ActorKind::Admin),
    };
    let listed = context.store.orders(of, status, &page, &context.cursors).await?;
    let items = listed.items.iter().map(|order| OrderView::new(order, &order.actions_as(kind))).collect();
    page::reply(&request, items, listed.next_cursor)
}

/// In the API description.
pub fn describe() -> Operation {
    Operation::get("/orders", "orders-list", "One's orders, newest first")
        .who(Who::User)
        .details("A client's own, a worker's assigned, an administrator's all.")
        .query::<Query>()
        .answer(Answer::page::<OrderView<'_>>("One page of orders."))
}
