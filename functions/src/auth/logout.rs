//! `POST /auth/logout`: ends one session of the caller, or all. The next write with one of their
//! access tokens is refused, and their sockets close.

use jiff::Timestamp;
use serde_json::json;
use shared::config::Secret;
use shared::domain::ids::UserId;
use shared::error::{Error, Result, catalogue};

use super::refresh_token;
use crate::http::{Endpoint, Reply, Request, Who, body};
use crate::openapi::{Answer, Operation};
use crate::runtime::context::Context;

const ENDPOINT: Endpoint = Endpoint::post("/auth/logout", Who::User);

body! {
    /// The session to end. Default: the session of the access token.
    struct Body {
        /// A refresh token of the session to end.
        #[schemars(with = "Option<String>")]
        refresh_token: Option<Secret>,
        /// `true` ends all sessions of the caller. Default: `false`.
        all: Option<bool>,
    }
}

/// Ends the session of the access token, the session of `refresh_token` if the request has one, or
/// all sessions with `{"all": true}`. Ending a session that has already ended succeeds.
///
/// # Errors
/// 401 without a valid access token, or for `all` when its session has ended.
pub async fn handle(context: &Context, request: Request) -> Result<Reply> {
    let claims = request.caller(ENDPOINT.who, &context.verifier)?;
    let Body { refresh_token, all } = request.body_as()?;
    let now = Timestamp::now();
    if all == Some(true) {
        let state = context.store.auth_state(&claims.sub, &claims.sid).await?;
        let signed_in = state.is_signed_in(now);
        let account = state.account.filter(|_| signed_in);
        let account = account.ok_or_else(|| {
            Error::new(&catalogue::INVALID_TOKEN, "You are signed out. Sign in again.")
        })?;
        context
            .store
            .update_account(account, |account| Ok(account.with_sessions_ended(None)))
            .await?;
        tracing::debug!(user = %claims.sub, "signed out {} everywhere", claims.sub);
    } else {
        let session = match refresh_token {
            Some(token) => session_of(&token, &claims.sub),
            None => Some(claims.sid.clone()),
        };
        // RFC 7009, section 2.2: an invalid token is not an error. It gives no access, as
        // requested.
        if let Some(session) = session {
            context.store.end_session(&claims.sub, &session, now).await?;
        }
        tracing::debug!(user = %claims.sub, "signed out {}", claims.sub);
    }
    Ok(Reply::no_content())
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "Sign out")
        .details(
            "Ends the session of the access token, the session of `refresh_token` if you send \
             one, or all your sessions with `{\"all\": true}`. The next write with one of their \
             access tokens is refused, and their sockets close. Ending a session twice succeeds.",
        )
        .body::<Body>(json!({"all": true}))
        .answer(Answer::no_content("Signed out."))
}

/// Returns the session of a refresh token, or `None` if the token is not the caller's.
fn session_of(token: &Secret, caller: &UserId) -> Option<String> {
    let (user, session) = refresh_token::parse(token.expose())?;
    (user == *caller).then(|| session.to_owned())
}
