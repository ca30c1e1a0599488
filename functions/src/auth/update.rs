//! `PATCH /auth/me`: changes what the caller is called, is reached under, or serves.

use jiff::Timestamp;
use serde_json::json;
use shared::domain::user::{Categories, Email, User, UserChange, Username};
use shared::error::{Error, Result, catalogue};
use shared::store::{AdminCondition, ChangeOutcome};

use super::UserView;
use crate::context::Context;
use crate::http::{Reply, Request, active, bearer, body};
use crate::openapi::{Answer, Operation, Who};

/// How often a change is tried that others get in the way of.
const ATTEMPTS: usize = 3;

body! {
    /// What is to change.
    struct Body {
        email: Option<Email>,
        username: Option<Username>,
        /// For workers.
        categories: Option<Categories>,
    }
}

/// Changes the caller's own user.
///
/// # Errors
/// 422 naming every wrong field; 409 for a taken `username` or `email`; 412 when `If-Match` names
/// another version.
pub async fn handle(context: &Context, request: Request) -> Result<Reply> {
    let claims = bearer(&request, &context.verifier)?;
    let Body { email, username, categories } = request.body_as()?;
    let change = UserChange { email, username, categories, ..UserChange::default() };
    for _ in 0..ATTEMPTS {
        let now = Timestamp::now();
        let standing = context.store.auth_state(&claims.sub, &claims.sid).await?;
        active(&claims, &standing, now)?;
        let Some(account) = standing.account else { return Err(Error::not_found("user")) };
        request.check_if_match(account.user.version)?;
        let changed = account.user.changed(change.clone(), now);
        let changed = changed.map_err(|invalid| Error::invalid(vec![invalid.at("categories")]))?;
        let Some(user) = changed else { return reply(&account.user) };
        let after = account.with_user(user);
        match context.store.change_account(&account, &after, AdminCondition::None).await? {
            ChangeOutcome::Changed => return reply(&after.user),
            // Read again: with `If-Match`, it is another version now.
            ChangeOutcome::Stale => {}
        }
    }
    Err(Error::new(
        &catalogue::VERSION_CONFLICT,
        "Your user is being changed by other requests. Try again.",
    ))
}

/// In the API description.
pub fn describe() -> Operation {
    Operation::patch(
        "/auth/me",
        "auth-update",
        "Change what one is called, is reached under, or serves",
    )
    .who(Who::User)
    .body::<Body>(json!({"username": "ada.lovelace"}))
    .answer(Answer::ok::<UserView<'_>>("The caller, changed.").etag())
    .if_match()
    .problems(&[&catalogue::VERSION_CONFLICT, &catalogue::NAME_TAKEN])
}

fn reply(user: &User) -> Result<Reply> {
    Reply::ok(&UserView::from(user))?.etag(user.version)
}
