//! Tickets: browsers can't send an `Authorization` header with a handshake, and a token in a URL
//! ends up in logs. So a signed-in client trades its token for a ticket that opens one socket,
//! once, within a minute.

use jiff::{SignedDuration, Timestamp};

use crate::auth::{OpaqueToken, sha256};
use crate::config::Secret;
use crate::domain::ids::UserId;
use crate::error::{Error, Result, catalogue};
use crate::store::{Connections, Ticket};

/// How long a ticket is valid.
pub const LIFETIME: SignedDuration = SignedDuration::from_secs(60);

/// A fresh ticket for a user's sign-in.
pub async fn issue(
    connections: &Connections,
    user: &UserId,
    session: &str,
    now: Timestamp,
) -> Result<Secret> {
    let OpaqueToken { token, hash } = OpaqueToken::generate("tk_")?;
    let (user_id, session_id) = (user.clone(), session.to_owned());
    connections.issue(&Ticket { hash, user_id, session_id, valid_until: now + LIFETIME }).await?;
    Ok(token)
}

/// Takes a ticket: no one can take it again.
///
/// # Errors
/// 401 for one that was never issued, was taken before, or is too old.
pub async fn take(connections: &Connections, token: &str, now: Timestamp) -> Result<Ticket> {
    let refused = |why: &'static str| {
        Error::new(
            &catalogue::INVALID_TICKET,
            "Get a new ticket from POST /live/tickets; each opens one socket, within a minute.",
        )
        .with_source(why)
    };
    let ticket = connections
        .take_ticket(&sha256(token))
        .await?
        .ok_or_else(|| refused("unknown or taken"))?;
    // TTL deletes late.
    if now < ticket.valid_until { Ok(ticket) } else { Err(refused("too old")) }
}
