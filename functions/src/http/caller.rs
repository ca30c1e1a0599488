//! Who is calling: first what the access token says, then what the database says of the account.

use http::header::AUTHORIZATION;
use jiff::Timestamp;
use shared::auth::{Claims, Verifier};
use shared::domain::user::Caller;
use shared::error::{Error, Result, catalogue};
use shared::store::AuthState;

use super::{Request, Who};

impl Request {
    /// The claims of the request's access token (RFC 6750), if `who` admits its role.
    ///
    /// A token says who someone was when it was issued. A write must not rely on that: it reads the
    /// account as well, and passes both to [`current_caller`].
    ///
    /// # Errors
    /// 401 without a valid token, 403 for another role.
    pub fn caller(&self, who: Who, verifier: &Verifier) -> Result<Claims> {
        let header = self.header(AUTHORIZATION).ok_or_else(|| {
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
        who.check(claims.role)?;
        Ok(claims)
    }

    /// Like [`Request::caller`], but admits every role, and returns `None` when the request carries
    /// no token.
    ///
    /// # Errors
    /// 401 for a token that is not valid.
    pub fn caller_if_signed_in(&self, verifier: &Verifier) -> Result<Option<Claims>> {
        match self.header(AUTHORIZATION) {
            Some(_) => self.caller(Who::OptionallySignedIn, verifier).map(Some),
            None => Ok(None),
        }
    }
}

/// The caller as of now, from the account and the session that were just read.
///
/// # Errors
/// 401 when the account is gone, its role has changed or the session has ended; 403 when it is
/// suspended.
pub fn current_caller(claims: &Claims, state: &AuthState, now: Timestamp) -> Result<Caller> {
    let invalid = |detail| Error::new(&catalogue::INVALID_TOKEN, detail);
    let user =
        &state.account.as_ref().ok_or_else(|| invalid("There is no such user any more."))?.user;
    if !user.is_active() {
        return Err(Error::new(
            &catalogue::ACCOUNT_SUSPENDED,
            "This account is suspended. Ask an administrator.",
        ));
    }
    if user.role != claims.role {
        return Err(invalid("Your role has changed. Sign in again."));
    }
    match state.is_signed_in(now) {
        true => Ok(Caller::from(user)),
        false => Err(invalid("You are signed out. Sign in again.")),
    }
}
