//! `POST /live/tickets`: the right to open one socket, within a minute.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use shared::domain::ids::UserId;
use shared::error::Result;
use shared::live::ticket;
use shared::store::RateLimit;

use super::Tickets;
use crate::http::{Empty, Endpoint, Reply, Request, Who, current_caller};
use crate::openapi::{Answer, Operation};

const ENDPOINT: Endpoint = Endpoint::post("/live/tickets", Who::User);

/// Tickets that a user may ask for in a minute: enough for ten tabs that all reconnect, again and
/// again.
const LIMIT: RateLimit = RateLimit { name: "tickets", max: 60, window_seconds: 60 };

/// The right to open one socket.
#[derive(Serialize, JsonSchema)]
struct Ticket<'a> {
    /// Whose it is: a client that keeps its numbers keeps them for this user.
    user_id: &'a UserId,
    ticket: &'a str,
    /// Where to connect to, with the ticket in it.
    url: String,
    /// Seconds.
    expires_in: i64,
}

/// A ticket for the caller, with the address to connect to.
///
/// # Errors
/// 401 without a valid token or when its sign-in is over, 403 for a suspended account, 429 for too
/// many.
pub async fn handle(context: &Tickets, request: Request) -> Result<Reply> {
    let claims = request.caller(ENDPOINT.who, &context.verifier)?;
    request.body_as::<Empty>()?;
    let now = Timestamp::now();
    let state = context.store.auth_state(&claims.sub, &claims.sid).await?;
    current_caller(&claims, &state, now)?;
    context.connections.count(&LIMIT, claims.sub.as_str(), now).await?;
    let token = ticket::issue(&context.connections, &claims.sub, &claims.sid, now).await?;
    Reply::ok(&Ticket {
        user_id: &claims.sub,
        ticket: token.expose(),
        url: format!("{}?ticket={}", context.url.0, token.expose()),
        expires_in: ticket::LIFETIME.as_secs(),
    })
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "A ticket to open one socket with")
        .details("Connect to `url` within a minute and send `{\"action\": \"hello\"}`. A ticket opens one socket.")
        .body::<Empty>(json!({}))
        .answer(Answer::ok::<Ticket<'_>>("The ticket."))
        .limited()
}
