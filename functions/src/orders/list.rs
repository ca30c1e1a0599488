//! `GET /orders`: a client's own, a worker's assigned, an administrator's all; newest first.
//! `?attention=true` is an administrator's list of what to look at, last changed first.

use schemars::JsonSchema;
use shared::domain::order::{ActorKind, Status};
use shared::domain::user::Role;
use shared::error::{Result, catalogue};
use shared::store::OrderScope;

use super::OrderView;
use crate::http::page::{Cursor, Limit};
use crate::http::{
    Endpoint, FieldErrors, FieldValue, Reply, Request, Who, body, one_of, page, text,
};
use crate::openapi::{Answer, Operation};
use crate::runtime::context::Listing;

const ENDPOINT: Endpoint = Endpoint::get("/orders", Who::User);

body! {
    /// Which orders.
    struct Query {
        status: Option<Status>,
        attention: Option<True>,
        limit: Option<Limit>,
        cursor: Option<Cursor>,
    }
}

/// Only those that an administrator should look at.
#[derive(JsonSchema)]
#[schemars(inline, extend("type" = "boolean", "enum" = [true]))]
struct True;

impl FieldValue for True {
    fn read(name: &str, value: serde_json::Value) -> std::result::Result<Self, FieldErrors> {
        text(|word| one_of(word, &[()], |()| "true"))(name, value).map(|()| Self)
    }
}

/// One page of orders, in one state if `?status=` names one.
///
/// # Errors
/// 422 for wrong or unknown parameters, 400 for a cursor of another list, 403 for `attention` to
/// all but administrators.
pub async fn handle(context: &Listing, request: Request) -> Result<Reply> {
    let claims = request.caller(ENDPOINT.who, &context.verifier)?;
    let Query { status, attention, limit, cursor } = request.query_as()?;
    let page = page::of(limit, cursor);
    let (of, kind) = match claims.role {
        _ if attention.is_some() => {
            Who::Admin.check(claims.role)?;
            (OrderScope::Attention, ActorKind::Admin)
        }
        Role::Client => (OrderScope::Client(&claims.sub), ActorKind::Client),
        Role::Worker => (OrderScope::Worker(&claims.sub), ActorKind::Worker),
        Role::Admin => (OrderScope::Everyone, ActorKind::Admin),
    };
    let listed = context.store.orders(of, status, &page, &context.cursors).await?;
    let items = listed
        .items
        .iter()
        .map(|order| OrderView::new(order, &order.actions_as(kind)).read_by(claims.role));
    page::reply(&request, items.collect(), listed.next_cursor)
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "One's orders, newest first")
        .details(
            "A client's own, a worker's assigned, an administrator's all. `?attention=true` is for administrators: what one of them should look at, last \
             changed first.",
        )
        .query::<Query>()
        .problems(&[&catalogue::FORBIDDEN])
        .answer(Answer::page::<OrderView<'_>>("One page of orders."))
}
