//! `PATCH /auth/me`: changes the caller's username, e-mail address or categories.

use jiff::Timestamp;
use serde_json::json;
use shared::domain::user::{Categories, Email, User, UserChange, Username};
use shared::error::{Error, Result, catalogue};
use shared::store::{AdminCondition, ChangeOutcome};

use super::UserView;
use crate::http::{Endpoint, Reply, Request, Who, body, current_caller};
use crate::openapi::{Answer, Operation};
use crate::runtime::context::Context;

const ENDPOINT: Endpoint = Endpoint::patch("/auth/me", Who::User);

/// How many times a change is retried when other requests change the user at the same time.
const ATTEMPTS: usize = 3;

body! {
    /// The fields to change; missing fields stay as they are.
    struct Body {
        email: Option<Email>,
        username: Option<Username>,
        /// The categories that you serve. Only for workers.
        categories: Option<Categories>,
    }
}

/// Changes the caller's own user.
///
/// # Errors
/// 422 naming every wrong field; 409 for a taken `username` or `email`, or when other requests keep
/// changing the user; 412 when `If-Match` names another version.
pub async fn handle(context: &Context, request: Request) -> Result<Reply> {
    let claims = request.caller(ENDPOINT.who, &context.verifier)?;
    let Body { email, username, categories } = request.body_as()?;
    let change = UserChange { email, username, categories, ..UserChange::default() };
    for _ in 0..ATTEMPTS {
        let now = Timestamp::now();
        let state = context.store.auth_state(&claims.sub, &claims.sid).await?;
        current_caller(&claims, &state, now)?;
        let Some(account) = state.account else { return Err(Error::not_found("user")) };
        request.check_if_match(account.user.version)?;
        let changed = account.user.changed(change.clone(), now);
        let changed = changed.map_err(|invalid| Error::invalid(vec![invalid.at("categories")]))?;
        let Some(user) = changed else { return reply(&account.user) };
        let after = account.with_user(user);
        match context.store.replace_account(&account, &after, AdminCondition::None).await? {
            ChangeOutcome::Changed => return reply(&after.user),
            // The next attempt reads the user again. If the request has `If-Match`, that attempt
            // fails.
            ChangeOutcome::Stale => {}
        }
    }
    Err(Error::new(
        &catalogue::VERSION_CONFLICT,
        "Other requests are changing your user. Try again.",
    ))
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "Change your username, e-mail address or categories")
        .body::<Body>(json!({"username": "ada.lovelace"}))
        .answer(Answer::ok::<UserView<'_>>("The changed user.").etag())
        .if_match()
        .problems(&[&catalogue::VERSION_CONFLICT, &catalogue::NAME_TAKEN])
}

fn reply(user: &User) -> Result<Reply> {
    Reply::ok(&UserView::from(user))?.etag(user.version)
}
