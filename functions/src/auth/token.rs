//! `POST /auth/token`: OAuth 2.0's token endpoint (RFC 6749), for the password and refresh token grants, as a form or as JSON.

use data_encoding::BASE64URL_NOPAD;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;
use shared::auth::{Opaque, hash, password, random};
use shared::config::Secret;
use shared::domain::ids::UserId;
use shared::error::{Error, Result, catalogue};
use shared::store::{Account, Presented, Session, Standing};

use crate::context::SignIn;
use crate::http::{Fields, Reply, Request, text};
use crate::openapi::{Answer, Operation};
use serde_json::json;

/// How long a session lasts.
const SESSION: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How long a used refresh token is good for a retry whose answer was lost.
const GRACE: SignedDuration = SignedDuration::from_secs(10);
/// Longer than any password that can be set: refused before it is hashed.
const PASSWORD_BYTES: usize = 1024;

/// RFC 6749, section 5.1.
#[derive(Serialize, JsonSchema)]
struct Token<'a> {
    /// For `Authorization: Bearer ...`.
    access_token: &'a str,
    /// `Bearer`.
    token_type: &'static str,
    /// Seconds.
    expires_in: i64,
    /// Good for one use.
    refresh_token: &'a str,
}

/// What is given for the tokens.
#[derive(JsonSchema)]
#[serde(tag = "grant_type", rename_all = "snake_case", deny_unknown_fields)]
#[expect(dead_code, reason = "describes what is read field by field")]
enum Grant {
    /// RFC 6749, section 4.3.
    Password {
        /// The username, or the e-mail address.
        username: String,
        password: String,
        /// There is one scope: this is not looked at.
        scope: Option<String>,
    },
    /// RFC 6749, section 6.
    RefreshToken {
        refresh_token: String,
        /// There is one scope: this is not looked at.
        scope: Option<String>,
    },
}

/// Signs the caller in, or goes on with a session.
///
/// # Errors
/// 401 `invalid_grant` in the same words whether the user is unknown, the password wrong or the session over; 403 for a suspended account
/// that gave the right password.
pub async fn handle(context: &SignIn, request: Request) -> Result<Reply> {
    let now = Timestamp::now();
    let mut fields = request.form_or_json()?;
    let grant = fields.required("grant_type", text(|g| Ok(g.to_owned())));
    match grant.as_deref() {
        Some("password") => by_password(context, fields, now).await,
        Some("refresh_token") => by_refresh_token(context, fields, now).await,
        Some(_) => {
            Err(Error::new(&catalogue::UNSUPPORTED_GRANT_TYPE, "Use grant_type=password or grant_type=refresh_token."))
        }
        None => fields.finish((grant,)).and(Err(Error::internal("grant_type"))),
    }
}

/// In the API description.
pub fn describe() -> Operation {
    Operation::post("/auth/token", "auth-token", "Sign in, or go on with a session")
        .details("OAuth 2.0's token endpoint (RFC 6749), for the `password` and `refresh_token` grants. A refresh token is good for one use.")
        .body_of::<Grant>(
            &["application/x-www-form-urlencoded", "application/json"],
            true,
            json!({"grant_type": "password", "username": "client1", "password": "client123"}),
        )
        .answer(Answer::ok::<Token<'_>>("The tokens."))
        .problems(&[&catalogue::UNSUPPORTED_GRANT_TYPE, &catalogue::INVALID_GRANT, &catalogue::ACCOUNT_SUSPENDED])
}

async fn by_password(context: &SignIn, mut fields: Fields, now: Timestamp) -> Result<Reply> {
    let username = fields.required("username", text(|u| Ok(u.to_owned())));
    let password = fields.required("password", text(|p| Ok(Secret::new(p))));
    // RFC 6749 names it; there is one scope here.
    let scope = fields.optional("scope", text(|s| Ok(s.to_owned())));
    let (_, username, password, _) = fields.finish((Some(()), username, password, scope))?;
    if password.expose().len() > PASSWORD_BYTES {
        return Err(refused("too long to be a password"));
    }
    let account = context.store.account_by_login(&username).await?;
    // Hashed for unknown users, too: the answer takes as long and says the same.
    let right = password::verify(password.clone(), account.as_ref().map(|a| a.password.clone())).await?;
    let Some(mut account) = account.filter(|_| right) else { return Err(refused("unknown user or wrong password")) };
    check_active(&account)?;
    if password::is_outdated(&account.password) {
        account.password = password::hash(password).await?;
        context.store.rehash(&account).await?;
    }
    let (refresh, session) = start(&account, now)?;
    context.store.start_session(&session).await?;
    tracing::info!(user = %account.user.id, "signed in {}", account.user.id);
    answer(context, &account, &session, &refresh, now)
}

async fn by_refresh_token(context: &SignIn, mut fields: Fields, now: Timestamp) -> Result<Reply> {
    let token = fields.required("refresh_token", text(|t| Ok(t.to_owned())));
    let scope = fields.optional("scope", text(|s| Ok(s.to_owned())));
    let (_, token, _) = fields.finish((Some(()), token, scope))?;
    let (user, id) = names(&token).ok_or_else(|| refused("no refresh token of ours"))?;
    let presented = hash(&token);
    // Another request with the same token may be faster; what the token is worth is then looked at again.
    for _ in 0..3 {
        let Standing { account, session } = context.store.standing(&user, id).await?;
        let (Some(account), Some(session)) = (account, session) else { return Err(refused("no such session")) };
        match session.present(&presented, now, GRACE) {
            Presented::Ended => return Err(refused("the session is over")),
            Presented::Reused => {
                tracing::warn!(user = %user, session = id, "a used refresh token came back: session {id} ends");
                if context.store.update_session(&session.revoked(now), &session).await? {
                    return Err(refused("a used refresh token"));
                }
            }
            Presented::Valid => {
                check_active(&account)?;
                let successor = refresh_token(&user, id)?;
                let next = session.rotated(&presented, successor.hash.clone(), now);
                if context.store.update_session(&next, &session).await? {
                    return answer(context, &account, &next, &successor, now);
                }
            }
        }
    }
    Err(Error::new(&catalogue::DATABASE_UNAVAILABLE, "The session is in use by too many requests at once. Try again.")
        .retry_after(1))
}

fn start(account: &Account, now: Timestamp) -> Result<(Opaque, Session)> {
    let id = BASE64URL_NOPAD.encode(&random::<12>()?);
    let user_id = account.user.id.clone();
    let refresh = refresh_token(&user_id, &id)?;
    let session = Session {
        id,
        user_id,
        token: refresh.hash.clone(),
        previous: None,
        rotated_at: now,
        ends_at: now + SESSION,
        revoked_at: None,
        version: 1,
    };
    Ok((refresh, session))
}

/// A refresh token names its user and session, so that it is found with one read; its 256 random bits are what makes it good.
fn refresh_token(user: &UserId, session: &str) -> Result<Opaque> {
    Opaque::generate(&format!("rt.{user}.{session}."))
}

/// The user and the session that a refresh token names.
fn names(token: &str) -> Option<(UserId, &str)> {
    let mut parts = token.strip_prefix("rt.")?.split('.');
    let (user, session, secret) = (parts.next()?, parts.next()?, parts.next()?);
    let plain = |part: &str| {
        !part.is_empty()
            && part.len() <= 64
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let right = plain(session) && plain(secret) && parts.next().is_none();
    Some((user.parse().ok().filter(|_| right)?, session))
}

fn check_active(account: &Account) -> Result<()> {
    match account.user.is_active() {
        true => Ok(()),
        false => Err(Error::new(&catalogue::ACCOUNT_SUSPENDED, "This account is suspended. Ask an administrator.")),
    }
}

fn answer(context: &SignIn, account: &Account, session: &Session, refresh: &Opaque, now: Timestamp) -> Result<Reply> {
    let access = context.issuer.issue(&account.user.id, account.user.role, &session.id, now)?;
    Reply::ok(&Token {
        access_token: access.expose(),
        token_type: "Bearer",
        expires_in: context.issuer.lifetime().as_secs(),
        refresh_token: refresh.token.expose(),
    })
}

fn refused(why: &'static str) -> Error {
    Error::new(&catalogue::INVALID_GRANT, "The credentials are not valid.").with_source(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refresh_token_names_its_user_and_session_and_anything_else_names_no_one() {
        let user = UserId::derived(&["u"]);
        let token = refresh_token(&user, "abc_-1").unwrap();
        assert_eq!(names(token.token.expose()), Some((user.clone(), "abc_-1")));
        for wrong in [
            "",
            "rt.",
            "rt.a.b.c",
            &format!("rt.{user}.a#b.c"),
            &format!("rt.{user}..c"),
            &format!("rt.{user}.a.b.c"),
            &format!("{user}.a.b"),
        ] {
            assert_eq!(names(wrong), None, "{wrong}");
        }
    }
}
