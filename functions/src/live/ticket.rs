//! `POST /live/tickets`: the right to open one socket, within a minute.

use jiff::Timestamp;
use serde::Serialize;
use shared::error::Result;
use shared::live::ticket;
use shared::store::Limit;

use crate::context::Tickets;
use crate::http::{Reply, Request, active, bearer};

/// Tickets that a user may ask for in a minute: enough for ten tabs that all reconnect, again and again.
const LIMIT: Limit = Limit { name: "tickets", most: 60, seconds: 60 };

#[derive(Serialize)]
struct Ticket<'a> {
    ticket: &'a str,
    url: String,
    expires_in: i64,
}

/// A ticket for the caller, with the address to connect to.
///
/// # Errors
/// 401 without a valid token or when its sign-in is over, 403 for a suspended account, 429 for too many.
pub async fn handle(context: &Tickets, request: Request) -> Result<Reply> {
    let claims = bearer(&request, &context.verifier)?;
    request.fields()?.finish(())?;
    let now = Timestamp::now();
    let standing = context.store.standing(&claims.sub, &claims.sid).await?;
    active(&claims, &standing, now)?;
    context.connections.count(&LIMIT, claims.sub.as_str(), now).await?;
    let token = ticket::issue(&context.connections, &claims.sub, &claims.sid, now).await?;
    Reply::ok(&Ticket {
        ticket: token.expose(),
        url: format!("{}?ticket={}", context.url.0, token.expose()),
        expires_in: ticket::LIFETIME.as_secs(),
    })
}
