//! `POST /auth/logout`: ends a sign-in, or all of them. What they gave access to ends with the next write, and their sockets close.

use jiff::Timestamp;
use serde_json::json;
use shared::config::Secret;
use shared::domain::ids::UserId;
use shared::error::{Error, Invalid, Result, catalogue};

use super::refresh_token;
use crate::context::Context;
use crate::http::{Reply, Request, bearer, body};
use crate::openapi::{Answer, Operation, Who};

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

/// Ends the sign-in of the caller's access token; that of `refresh_token`, if one is sent; or all, with `{"all": true}`. One that is over
/// already stays so: sending it again is no error.
///
/// # Errors
/// 401 without a valid token, or for `all` with one of a sign-in that is over; 422 for a refresh token that is not the caller's.
pub async fn handle(context: &Context, request: Request) -> Result<Reply> {
    let claims = bearer(&request, &context.verifier)?;
    let Body { refresh_token, all } = request.body_as()?;
    let all = all == Some(true);
    let named = refresh_token.map(|token| session_of(&token, &claims.sub, all)).transpose();
    let named = named.map_err(|invalid| Error::invalid(vec![invalid.at("refresh_token")]))?;
    let now = Timestamp::now();
    if all {
        let standing = context.store.standing(&claims.sub, &claims.sid).await?;
        let signed_in = standing.is_signed_in(now);
        let account = standing.account.filter(|_| signed_in);
        let account =
            account.ok_or_else(|| Error::new(&catalogue::INVALID_TOKEN, "You are signed out. Sign in again."))?;
        context.store.amend(account, |account| Ok(account.signed_out(None))).await?;
        tracing::info!(user = %claims.sub, "signed out {} everywhere", claims.sub);
    } else {
        context.store.end_session(&claims.sub, named.as_deref().unwrap_or(&claims.sid), now).await?;
        tracing::info!(user = %claims.sub, "signed out {}", claims.sub);
    }
    Ok(Reply::no_content())
}

/// In the API description.
pub fn describe() -> Operation {
    Operation::post("/auth/logout", "auth-logout", "Sign out")
        .details(
            "Ends the sign-in of the access token; that of `refresh_token`, if one is sent; or all, with `{\"all\": true}`. Its access tokens are refused \
             with the next write, and its sockets close.",
        )
        .who(Who::User)
        .body::<Body>(json!({"all": true}))
        .answer(Answer::no_content("Signed out, now or before."))
}

fn session_of(token: &Secret, caller: &UserId, all: bool) -> std::result::Result<String, Invalid> {
    if all {
        return Err(Invalid::new("contradiction", "Send a refresh token, or `all`, not both."));
    }
    match refresh_token::names(token.expose()) {
        Some((user, session)) if user == *caller => Ok(session.to_owned()),
        _ => Err(Invalid::new("invalid", "This is no refresh token of yours.")),
    }
}
