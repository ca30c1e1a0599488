//! Who is calling.

use http::header::AUTHORIZATION;
use jiff::Timestamp;
use shared::auth::{Claims, Verifier};
use shared::domain::user::{Caller, Role};
use shared::error::{Error, Result, catalogue};
use shared::store::AuthState;

use super::Request;

/// The claims of the bearer token (RFC 6750) that the request carries.
pub fn bearer(request: &Request, verifier: &Verifier) -> Result<Claims> {
    let header = request.header(AUTHORIZATION).ok_or_else(|| {
        Error::new(
            &catalogue::UNAUTHENTICATED,
            "Send an access token: Authorization: Bearer ... POST /auth/token gives one.",
        )
    })?;
    let token = header
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
    let claims = verifier.verify(token.ok_or_else(|| {
        Error::new(
            &catalogue::INVALID_TOKEN,
            "The Authorization header must be `Bearer` and an access token.",
        )
    })?)?;
    tracing::Span::current().record("user", tracing::field::display(&claims.sub));
    Ok(claims)
}

/// Refuses (403) a token of another role before anything is read.
pub fn only(claims: &Claims, role: Role) -> Result<()> {
    match claims.role == role {
        true => Ok(()),
        false => {
            Err(Error::new(&catalogue::FORBIDDEN, format!("Only a {} may do this.", role.as_str())))
        }
    }
}

/// The caller as of *now*: what the token says may be minutes old, and a write must not rest on it.
/// Refuses one who is suspended, is gone, has another role than the token's, or has signed out
/// meanwhile.
pub fn active(claims: &Claims, standing: &AuthState, now: Timestamp) -> Result<Caller> {
    let invalid = |detail| Error::new(&catalogue::INVALID_TOKEN, detail);
    let user =
        &standing.account.as_ref().ok_or_else(|| invalid("There is no such user any more."))?.user;
    if !user.is_active() {
        return Err(Error::new(
            &catalogue::ACCOUNT_SUSPENDED,
            "This account is suspended. Ask an administrator.",
        ));
    }
    if user.role != claims.role {
        return Err(invalid("Your role has changed. Sign in again."));
    }
    match standing.is_signed_in(now) {
        true => Ok(Caller::from(user)),
        false => Err(invalid("You are signed out. Sign in again.")),
    }
}
