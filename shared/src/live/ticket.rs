//! Tickets: a signed-in client exchanges its access token for a ticket, with which it can open one
//! socket within a minute. Browsers can't send an `Authorization` header with a WebSocket
//! handshake, and an access token in the URL would end up in logs.

use jiff::{SignedDuration, Timestamp};

use crate::auth::{OpaqueToken, sha256};
use crate::config::Secret;
use crate::domain::ids::UserId;
use crate::error::{Error, Result, catalogue};
use crate::store::{Connections, Ticket};

/// How long a ticket is valid.
pub const LIFETIME: SignedDuration = SignedDuration::from_secs(60);

/// Issues a ticket for a user's session.
///
/// # Errors
/// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
pub async fn issue(
    connections: &Connections,
    user: &UserId,
    session: &str,
    now: Timestamp,
) -> Result<Secret> {
    let OpaqueToken { token, hash } = OpaqueToken::generate("tk_")?;
    let (user_id, session_id) = (user.clone(), session.to_owned());
    connections
        .put_ticket(&Ticket { hash, user_id, session_id, valid_until: now + LIFETIME })
        .await?;
    Ok(token)
}

/// Redeems a ticket. It can't be redeemed again.
///
/// # Errors
/// - `invalid_ticket` (401) if it was never issued, was already redeemed, or has expired
/// - `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise
pub async fn redeem(connections: &Connections, token: &str, now: Timestamp) -> Result<Ticket> {
    let invalid = |reason: &'static str| {
        Error::new(
            &catalogue::INVALID_TICKET,
            "Get a new ticket from POST /live/tickets. Each opens one socket, within a minute.",
        )
        .with_source(reason)
    };
    let ticket = connections
        .redeem_ticket(&sha256(token))
        .await?
        .ok_or_else(|| invalid("unknown or already redeemed"))?;
    // TTL may not have deleted an expired ticket yet.
    if now < ticket.valid_until { Ok(ticket) } else { Err(invalid("expired")) }
}
