//! `POST /live/tickets`: the right to open one socket, within a minute.

use jiff::Timestamp;
use serde::Serialize;
use shared::error::Result;
use shared::live::ticket;

use crate::context::Tickets;
use crate::http::{Reply, Request, active, bearer};

#[derive(Serialize)]
struct Ticket<'a> {
    ticket: &'a str,
    url: String,
    expires_in: i64,
}

/// A ticket for the caller, with the address to connect to.
///
/// # Errors
/// 401 without a valid token, 403 for a suspended account.
pub async fn handle(context: &Tickets, request: Request) -> Result<Reply> {
    let claims = bearer(&request, &context.verifier)?;
    request.fields()?.finish(())?;
    let account = context.store.account(&claims.sub).await?;
    active(&claims, account.as_ref())?;
    let token = ticket::issue(&context.connections, &claims.sub, &claims.sid, Timestamp::now()).await?;
    Reply::ok(&Ticket {
        ticket: token.expose(),
        url: format!("{}?ticket={}", context.url, token.expose()),
        expires_in: ticket::LIFETIME.as_secs(),
    })
}
