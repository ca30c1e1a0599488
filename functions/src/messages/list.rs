//! `GET /orders/{id}/messages`: the messages between the order's client and worker, newest first.

use shared::domain::ids::OrderId;
use shared::domain::order::TransitionError;
use shared::domain::user::Role;
use shared::error::{Result, catalogue};
use shared::store::MessageScope;

use super::MessageView;
use crate::http::page::{Cursor, Limit};
use crate::http::{Endpoint, Reply, Request, Who, body, page};
use crate::openapi::{Answer, Operation};
use crate::orders::read;
use crate::runtime::context::Listing;

const ENDPOINT: Endpoint =
    Endpoint::get("/orders/{id}/messages", Who::OrderParty(&[Role::Client, Role::Worker]));

body! {
    /// The page to return.
    struct Query {
        limit: Option<Limit>,
        cursor: Option<Cursor>,
    }
}

/// Returns one page of messages. The client sees all of them; a worker sees only the messages that
/// they sent or received, so a new worker does not see the previous worker's conversation.
///
/// # Errors
/// 404 for an order that the caller may not see; 403 when the caller is neither its client nor its
/// worker; 422 for wrong or unknown parameters; 400 for a cursor of another list.
pub async fn handle(context: &Listing, request: Request) -> Result<Reply> {
    let claims = request.caller(ENDPOINT.who, &context.verifier)?;
    let id: OrderId = request.path_id("order")?;
    let Query { limit, cursor } = request.query_as()?;
    let page = page::page_request(limit, cursor);

    let (caller, order) = read::with_caller(&context.store, &claims, &id).await?;
    match order.message_recipient(&caller) {
        // The client of an order that has no worker now reads the messages of earlier ones.
        Ok(_) | Err(TransitionError::NoWorkerYet { .. }) => {}
        Err(refusal) => return Err(refusal.into()),
    }
    let scope = if order.client.id == caller.id {
        MessageScope::Client
    } else {
        MessageScope::Worker(&caller.id)
    };
    let listed = context.store.messages(&id, scope, &page, &context.cursors).await?;
    page::reply(&request, listed.items.iter().map(MessageView::from).collect(), listed.next_cursor)
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "List an order's messages")
        .details(
            "Newest first. The client sees all messages. A worker sees only the messages that \
             they sent or received.",
        )
        .id::<OrderId>()
        .query::<Query>()
        .answer(Answer::page::<MessageView<'_>>("One page of messages."))
        .problems(&[&catalogue::FORBIDDEN])
}
