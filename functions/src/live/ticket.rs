//! `POST /live/tickets`: issues a ticket, which opens one socket within a minute.

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

/// How many tickets a user may request per minute: enough for ten tabs that reconnect repeatedly.
const LIMIT: RateLimit = RateLimit { name: "tickets", max: 60, window_seconds: 60 };

/// A ticket to open one socket.
#[derive(Serialize, JsonSchema)]
struct Ticket<'a> {
    /// Your user id, for clients that store how far each user has read the feeds.
    user_id: &'a UserId,
    /// The ticket, which `url` contains.
    ticket: &'a str,
    /// The URL to connect to.
    url: String,
    /// The lifetime of the ticket in seconds.
    expires_in: i64,
}

/// Issues a ticket for the caller.
///
/// # Errors
/// 401 without a valid access token or when its session has ended; 403 for a suspended account; 429
/// after too many tickets.
pub async fn handle(context: &Tickets, request: Request) -> Result<Reply> {
    let claims = request.caller(ENDPOINT.who, &context.verifier)?;
    request.body_as::<Empty>()?;
    let now = Timestamp::now();
    let state = context.store.auth_state(&claims.sub, &claims.sid).await?;
    current_caller(&claims, &state, now)?;
    context.connections.count_attempt(&LIMIT, claims.sub.as_str(), now).await?;
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
    Operation::new(&ENDPOINT, "Get a ticket for a WebSocket")
        .details(
            "Open a WebSocket to `url` within a minute, and send `{\"action\": \"hello\"}`. The server \
             answers with a `welcome`, which lists your feeds with the number of each feed's last \
             entry, and then sends every new entry. When you connect again, get a new ticket, and \
             send the numbers of the last entries that you received, to get those that you missed: \
             `{\"action\": \"hello\", \"after\": {\"role:clients\": 7}}`. Send `{\"action\": \"ping\"}` \
             every few minutes, because an idle socket is closed after ten.",
        )
        .body::<Empty>(json!({}))
        .answer(Answer::ok::<Ticket<'_>>("The ticket."))
        .rate_limited()
}
