//! `POST /auth/logout`: ends a sign-in, or all of them. What they gave access to ends with the next
//! write, and their sockets close.

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
    /// Which sign-in ends. That of the access token unless one is named.
    struct Body {
        /// One of another sign-in of the caller's.
        #[schemars(with = "Option<String>")]
        refresh_token: Option<Secret>,
        /// All of them.
        all: Option<bool>,
    }
}

/// Ends the sign-in of the caller's access token; that of `refresh_token`, if one is sent; or all,
/// with `{"all": true}`. One that is over already stays so: sending it again is no error.
///
/// # Errors
/// 401 without a valid token, or for `all` with one of a sign-in that is over.
pub async fn handle(context: &Context, request: Request) -> Result<Reply> {
    let claims = request.caller(ENDPOINT.who, &context.verifier)?;
    let Body { refresh_token, all } = request.body_as()?;
    let all = all == Some(true);
    // RFC 7009, section 2.2: a token that is none is no error. What it gave access to is over, as
    // asked.
    let named = refresh_token.map(|token| session_of(&token, &claims.sub));
    let now = Timestamp::now();
    if all {
        let state = context.store.auth_state(&claims.sub, &claims.sid).await?;
        let signed_in = state.is_signed_in(now);
        let account = state.account.filter(|_| signed_in);
        let account = account.ok_or_else(|| {
            Error::new(&catalogue::INVALID_TOKEN, "You are signed out. Sign in again.")
        })?;
        context.store.update_account(account, |account| Ok(account.signed_out(None))).await?;
        tracing::debug!(user = %claims.sub, "signed out {} everywhere", claims.sub);
    } else {
        let session = named.unwrap_or_else(|| Some(claims.sid.clone()));
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
            "Ends the sign-in of the access token; that of `refresh_token`, if one is sent; or all, with `{\"all\": true}`. Its access tokens are refused \
             with the next write, and its sockets close.",
        )
        .body::<Body>(json!({"all": true}))
        .answer(Answer::no_content("Signed out, now or before."))
}

/// The session of a refresh token of the caller's.
fn session_of(token: &Secret, caller: &UserId) -> Option<String> {
    let (user, session) = refresh_token::names(token.expose())?;
    (user == *caller).then(|| session.to_owned())
}
