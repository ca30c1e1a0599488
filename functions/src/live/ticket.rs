//! `POST /live/tickets`: the right to open one socket, within a minute.

use jiff::Timestamp;
use serde::Serialize;
use shared::error::{Error, Result, catalogue};
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
    let (account, session) = context.store.session(&claims.sub, &claims.sid).await?;
    active(&claims, account.as_ref())?;
    // An access token outlives its sign-in by minutes; a socket that is opened with it would by hours.
    if session.is_none_or(|session| session.revoked_at.is_some()) {
        return Err(Error::new(&catalogue::INVALID_TOKEN, "You are signed out. Sign in again."));
    }
    context.connections.count(&LIMIT, claims.sub.as_str(), now).await?;
    let token = ticket::issue(&context.connections, &claims.sub, &claims.sid, now).await?;
    Reply::ok(&Ticket {
        ticket: token.expose(),
        url: format!("{}?ticket={}", context.url, token.expose()),
        expires_in: ticket::LIFETIME.as_secs(),
    })
}
