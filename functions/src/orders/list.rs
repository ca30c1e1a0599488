//! `GET /orders`: lists the orders that a client placed, those that are assigned to a worker, or
//! all orders for an administrator, newest first. `?attention=true` lists the orders that need an
//! administrator, last changed first.

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
    /// Filters of the list.
    struct Query {
        /// Only orders with this status. Default: all.
        status: Option<Status>,
        attention: Option<OnlyTrue>,
        limit: Option<Limit>,
        cursor: Option<Cursor>,
    }
}

/// `true`: only orders that an administrator should look at, last changed first. Only for
/// administrators. Default: all orders.
#[derive(JsonSchema)]
#[schemars(inline, extend("type" = "boolean", "enum" = [true]))]
struct OnlyTrue;

impl FieldValue for OnlyTrue {
    fn read(name: &str, value: serde_json::Value) -> std::result::Result<Self, FieldErrors> {
        text(|word| one_of(word, &[()], |()| "true"))(name, value).map(|()| Self)
    }
}

/// Returns one page of orders.
///
/// # Errors
/// 422 for wrong or unknown parameters; 400 for a cursor of another list; 403 for `attention`
/// unless the caller is an administrator.
pub async fn handle(context: &Listing, request: Request) -> Result<Reply> {
    let claims = request.caller(ENDPOINT.who, &context.verifier)?;
    let Query { status, attention, limit, cursor } = request.query_as()?;
    let page = page::page_request(limit, cursor);
    let (scope, kind) = match claims.role {
        _ if attention.is_some() => {
            Who::Admin.check(claims.role)?;
            (OrderScope::Attention, ActorKind::Admin)
        }
        Role::Client => (OrderScope::Client(&claims.sub), ActorKind::Client),
        Role::Worker => (OrderScope::Worker(&claims.sub), ActorKind::Worker),
        Role::Admin => (OrderScope::Everyone, ActorKind::Admin),
    };
    let listed = context.store.orders(scope, status, &page, &context.cursors).await?;
    let items = listed
        .items
        .iter()
        .map(|order| OrderView::new(order, &order.actions_as(kind)).for_reader(claims.role));
    page::reply(&request, items.collect(), listed.next_cursor)
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "List orders")
        .details(
            "Clients get the orders that they placed, workers those that are assigned to them, \
             finished ones included, and administrators all orders. Newest first.",
        )
        .query::<Query>()
        .problems(&[&catalogue::FORBIDDEN])
        .answer(Answer::page::<OrderView<'_>>("One page of orders."))
}
