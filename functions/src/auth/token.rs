//! `POST /auth/token`: the OAuth 2.0 token endpoint (RFC 6749) with the `password` and
//! `refresh_token` grants. It accepts a form or JSON.

use data_encoding::BASE64URL_NOPAD;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use shared::auth::{Issuer, OpaqueToken, password, random, sha256};
use shared::config::Secret;
use shared::error::{Error, Kind, Result, catalogue};
use shared::store::{Account, AuthState, RefreshTokenStatus, Session};

use super::{SignIn, refresh_token, throttle};
use crate::http::{Endpoint, Fields, Reply, Request, Who, text};
use crate::openapi::{Answer, Operation};

const ENDPOINT: Endpoint = Endpoint::post("/auth/token", Who::Anyone);

/// How long a session lasts.
const SESSION_LIFETIME: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How long a used refresh token still works, for a client that did not receive the response.
const REFRESH_GRACE_PERIOD: SignedDuration = SignedDuration::from_secs(10);

/// The tokens (RFC 6749, section 5.1).
#[derive(Serialize, JsonSchema)]
struct Token<'a> {
    /// Send it as `Authorization: Bearer ...`.
    access_token: &'a str,
    /// Always `Bearer`.
    token_type: &'static str,
    /// The lifetime of the access token in seconds.
    expires_in: i64,
    /// Continues the session when the access token has expired. It works once.
    refresh_token: &'a str,
}

/// The grant. Unknown fields are ignored (RFC 6749, section 3.2).
#[derive(JsonSchema)]
#[serde(tag = "grant_type", rename_all = "snake_case")]
#[expect(dead_code, reason = "describes what is read field by field")]
enum Grant {
    /// Sign in with a password (RFC 6749, section 4.3).
    Password {
        /// The username or the e-mail address.
        username: String,
        /// The password.
        password: String,
    },
    /// Continue a session (RFC 6749, section 6).
    RefreshToken {
        /// The refresh token of the latest response.
        refresh_token: String,
    },
}

/// Starts a session, or continues one.
///
/// # Errors
/// 401 `invalid_grant`, with the same text whether the user is unknown, the password is wrong or
/// the session has ended; 403 for a suspended account with the right password; 429 after too many
/// failures with this username or e-mail address or from this IP address, even with the right
/// password.
pub async fn handle(context: &SignIn, request: Request) -> Result<Reply> {
    grant_token(context, &request).await.map_err(with_oauth_error)
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "Sign in, or continue a session")
        .details(
            "OAuth 2.0's token endpoint (RFC 6749), for the `password` and `refresh_token` grants. \
             A refresh token works once: each response contains the next one. Errors also have \
             OAuth's member `error`.",
        )
        .body_of::<Grant>(
            &["application/x-www-form-urlencoded", "application/json"],
            true,
            json!({"grant_type": "password", "username": "client1", "password": "client123"}),
        )
        .answer(Answer::ok::<Token<'_>>("The tokens."))
        .problems(&[
            &catalogue::UNSUPPORTED_GRANT_TYPE,
            &catalogue::INVALID_GRANT,
            &catalogue::ACCOUNT_SUSPENDED,
        ])
        .rate_limited()
}

async fn grant_token(context: &SignIn, request: &Request) -> Result<Reply> {
    let now = Timestamp::now();
    let mut fields = request.form_or_json()?;
    // RFC 6749, section 3.2: unknown fields are ignored. Clients send `scope` and `client_id`.
    fields.ignore_unknown();
    let grant = fields.required("grant_type", text(|g| Ok(g.to_owned())));
    match grant.as_deref() {
        Some("password") => {
            sign_in_with_password(context, fields, &throttle::ip_hash(request), now).await
        }
        Some("refresh_token") => continue_session(context, fields, now).await,
        Some(_) => Err(Error::new(
            &catalogue::UNSUPPORTED_GRANT_TYPE,
            "Use grant_type=password or grant_type=refresh_token.",
        )),
        None => fields.finish((grant,)).and(Err(Error::internal("grant_type"))),
    }
}

/// Signs in with a password, in three round trips: count the attempt and find the login's user;
/// read the account; write the session.
async fn sign_in_with_password(
    context: &SignIn,
    mut fields: Fields,
    ip_hash: &str,
    now: Timestamp,
) -> Result<Reply> {
    let username = fields.required("username", text(|u| Ok(u.to_owned())));
    let password = fields.required("password", text(|p| Ok(Secret::new(p))));
    let (username, password) = fields.finish((username, password))?;
    if password::is_too_long(&password) {
        return Err(invalid_grant("too long to be a password"));
    }
    let store = &context.store;
    let (attempt, account) = context.limits.count_sign_in(store, &username, ip_hash, now).await?;
    // Hashed for unknown users too, so that the response takes the same time and says the same.
    let is_right =
        password::verify(password.clone(), account.as_ref().map(|a| a.password.clone())).await?;
    let Some(account) = account.filter(|_| is_right) else {
        return Err(invalid_grant("unknown user or wrong password"));
    };
    check_active(&account)?;
    let (refresh, session) = new_session(&account, now)?;
    let ip_address = throttle::known_ip_address(&account.user.id, ip_hash, now);
    let (started, ()) =
        futures::join!(store.start_session(&session, &ip_address), attempt.uncount(store));
    started?;
    if password::is_outdated(&account.password) {
        store.replace_hash(&account, password::hash(password).await?).await?;
        tracing::debug!(user = %account.user.id, "rehashed the password of {}", account.user.id);
    }
    tracing::Span::current().record("user", tracing::field::display(&account.user.id));
    let issuer = context.issuer.recent().await;
    token_reply(&issuer, &account, &session.id, &refresh, now)
}

async fn continue_session(context: &SignIn, mut fields: Fields, now: Timestamp) -> Result<Reply> {
    let token = fields.required("refresh_token", text(|t| Ok(t.to_owned())));
    let (token,) = fields.finish((token,))?;
    let (user, id) =
        refresh_token::parse(&token).ok_or_else(|| invalid_grant("not a refresh token of ours"))?;
    let presented = sha256(&token);
    let issuer = context.issuer.recent().await;
    let successor = refresh_token::successor(&issuer, &user, id, &token);
    // If another request with the same token was faster, the token is checked again.
    for _ in 0..3 {
        let AuthState { account, session } = context.store.auth_state(&user, id).await?;
        let (Some(account), Some(session)) = (account, session) else {
            return Err(invalid_grant("no such session"));
        };
        let state = session.check_refresh_token(&presented, now, REFRESH_GRACE_PERIOD);
        if state == RefreshTokenStatus::SessionEnded {
            return Err(invalid_grant("the session has ended"));
        }
        if state == RefreshTokenStatus::Reused {
            tracing::warn!(user = %user, session = id, "a used refresh token was presented again: session {id} ends");
            if context.store.update_session(&session.revoked(now), &session).await? {
                return Err(invalid_grant("a used refresh token"));
            }
            continue;
        }
        check_active(&account)?;
        if !account.is_valid_session(&session) {
            return Err(invalid_grant("all sessions of the user were ended"));
        }
        let is_accepted = match state {
            RefreshTokenStatus::Previous => session.token == successor.hash,
            _ => {
                context
                    .store
                    .update_session(&session.rotated(successor.hash.clone(), now), &session)
                    .await?
            }
        };
        if is_accepted {
            return token_reply(&issuer, &account, &session.id, &successor, now);
        }
        if state == RefreshTokenStatus::Previous {
            return Err(invalid_grant("the successor was derived with another key"));
        }
    }
    Err(Error::new(
        &catalogue::DATABASE_UNAVAILABLE,
        "The session is in use by too many requests at once. Try again.",
    )
    .retry_after(1))
}

/// Returns a new session and its first refresh token.
fn new_session(account: &Account, now: Timestamp) -> Result<(OpaqueToken, Session)> {
    let id = BASE64URL_NOPAD.encode(&random::<12>()?);
    let user_id = account.user.id.clone();
    let refresh = refresh_token::generate(&user_id, &id)?;
    let session = Session {
        id,
        user_id,
        token: refresh.hash.clone(),
        previous: None,
        rotated_at: now,
        generation: account.generation,
        ends_at: now + SESSION_LIFETIME,
        revoked_at: None,
        version: 1,
    };
    Ok((refresh, session))
}

fn check_active(account: &Account) -> Result<()> {
    match account.user.is_active() {
        true => Ok(()),
        false => Err(Error::new(
            &catalogue::ACCOUNT_SUSPENDED,
            "This account is suspended or closed. Ask an administrator.",
        )),
    }
}

/// Replies with an access token and the session's refresh token.
fn token_reply(
    issuer: &Issuer,
    account: &Account,
    session: &str,
    refresh: &OpaqueToken,
    now: Timestamp,
) -> Result<Reply> {
    let access = issuer.issue(&account.user.id, account.user.role, session, now)?;
    Reply::ok(&Token {
        access_token: access.expose(),
        token_type: "Bearer",
        expires_in: issuer.lifetime().as_secs(),
        refresh_token: refresh.token.expose(),
    })
}

/// Adds the `error` member that OAuth clients expect (RFC 6749, section 5.2).
fn with_oauth_error(error: Error) -> Error {
    let code = match (error.code().code, error.code().kind) {
        (code @ ("invalid_grant" | "unsupported_grant_type"), _) => code,
        ("account_suspended", _) => "invalid_grant",
        (_, Kind::Malformed | Kind::Invalid) => "invalid_request",
        _ => return error,
    };
    error.with_member("error", code)
}

/// The error for credentials that are not accepted. Only the log says why.
fn invalid_grant(why: &'static str) -> Error {
    Error::new(&catalogue::INVALID_GRANT, "The credentials are not valid.").with_source(why)
}
