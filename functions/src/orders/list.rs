//! `GET /orders`: a client's own, a worker's assigned, an administrator's all; newest first.

use serde_json::Value;
use shared::domain::order::{ActorKind, Status};
use shared::domain::user::Role;
use shared::error::{Invalid, Result};
use shared::store::OrdersOf;

use super::OrderView;
use crate::context::Listing;
use crate::http::{Reply, Request, bearer, page, text};

/// One page of orders, in one state if `?status=` names one.
///
/// # Errors
/// 422 for wrong or unknown parameters, 400 for a cursor of another list.
pub async fn handle(context: &Listing, request: Request) -> Result<Reply> {
    let claims = bearer(&request, &context.verifier)?;
    let mut query = request.query(&["status", "limit", "cursor"])?;
    let status = query.optional("status", text(status));
    let page = page::asked(&mut query);
    let (status, page) = query.finish((status, page))?;
    let (of, kind) = match claims.role {
        Role::Client => (OrdersOf::Client(&claims.sub), ActorKind::Client),
        Role::Worker => (OrdersOf::Worker(&claims.sub), ActorKind::Worker),
        Role::Admin => (OrdersOf::Everyone, ActorKind::Admin),
    };
    let listed = context.store.orders(of, status, &page, &context.cursors).await?;
    let items = listed.items.iter().map(|order| OrderView::new(order, &order.actions_as(kind))).collect();
    page::reply(&request, items, listed.next_cursor)
}

fn status(text: &str) -> std::result::Result<Status, Invalid> {
    let known = || Invalid::new("invalid", format!("Must be one of {}.", Status::ALL.map(Status::as_str).join(", ")));
    serde_json::from_value(Value::String(text.to_owned())).map_err(|_| known())
}
