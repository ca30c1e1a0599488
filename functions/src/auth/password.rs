//! `POST /auth/password`: changes the caller's password. All other sessions end, so that anyone
//! else who knew the old password is signed out.

use jiff::Timestamp;
use serde_json::json;
use shared::auth::password;
use shared::config::Secret;
use shared::error::{Error, Invalid, Result, catalogue};
use shared::store::Account;

use super::{NewPassword, PasswordChange};
use crate::http::{Endpoint, Reply, Request, Who, body, current_caller};
use crate::openapi::{Answer, Operation};

const ENDPOINT: Endpoint = Endpoint::post("/auth/password", Who::User);

body! {
    /// The current and the new password.
    struct Body {
        #[schemars(with = "String")]
        current_password: Secret,
        new_password: NewPassword,
    }
}

/// Changes the password.
///
/// # Errors
/// 422 naming every wrong field; 403 when the current password is wrong; 429 after too many wrong
/// ones, as at sign-in; 409 when the account changed at the same time.
pub async fn handle(context: &PasswordChange, request: Request) -> Result<Reply> {
    let claims = request.caller(ENDPOINT.who, &context.verifier)?;
    let Body { current_password: current, new_password: new } = request.body_as()?;
    if password::is_too_long(&current) {
        // It can't be the right one, so it is not counted as an attempt.
        return Err(wrong_password());
    }
    let now = Timestamp::now();
    let store = &context.store;
    let state = store.auth_state(&claims.sub, &claims.sid).await?;
    current_caller(&claims, &state, now)?;
    let Some(account) = state.account else { return Err(Error::not_found("user")) };
    // Checked only here, because this takes the username and the e-mail address.
    new.check(&account.user.username, &account.user.email)
        .map_err(|invalid| Error::invalid(vec![invalid.at("new_password")]))?;
    let new = new.0;
    let attempt = context.limits.count_password_change(store, &claims.sub, now).await?;
    if !password::verify(current.clone(), Some(account.password.clone())).await? {
        return Err(wrong_password());
    }
    if current.expose() == new.expose() {
        attempt.uncount(store).await;
        return Err(Error::field(
            "new_password",
            "unchanged",
            "This is already your password. Choose a different one.",
        ));
    }
    let hash = password::hash(new).await?;
    let verified = account.password.clone();
    let change = |latest: &Account| match latest.password == verified && latest.user.is_active() {
        true => Ok(latest.with_password(hash.clone(), &claims.sid)),
        false => Err(Error::new(
            &catalogue::VERSION_CONFLICT,
            "Your account was changed by another request. Try again.",
        )),
    };
    let (changed, ()) =
        futures::join!(store.update_account(account, change), attempt.uncount(store));
    changed?;
    tracing::debug!(user = %claims.sub, "changed the password of {}", claims.sub);
    Ok(Reply::no_content())
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "Change your password")
        .details(
            "Ends all your other sessions: the next write with one of their access tokens is \
             refused, and their sockets close.",
        )
        .body::<Body>(
            json!({"current_password": "correct horse", "new_password": "battery staple"}),
        )
        .answer(Answer::no_content("The password is changed."))
        .problems(&[&catalogue::VERSION_CONFLICT, &catalogue::WRONG_PASSWORD])
        .rate_limited()
}

fn wrong_password() -> Error {
    let field = Invalid::new("wrong", "This is not your password.").at("current_password");
    Error::new(&catalogue::WRONG_PASSWORD, "The current password is wrong.")
        .with_fields(vec![field])
}
