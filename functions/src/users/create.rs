//! `POST /users`: an administrator creates a user of any role.

use jiff::Timestamp;
use serde_json::json;
use shared::config::Secret;
use shared::domain::user::{Categories, Email, NewUser, Role, Username};
use shared::error::{Result, catalogue};
use shared::store::AdminCondition;

use crate::auth::new_account::{self, CreationKey};
use crate::auth::{NewPassword, UserView};
use crate::http::{Endpoint, Reply, Request, Who, body, current_caller};
use crate::openapi::{Answer, Operation};
use crate::runtime::context::Context;

const ENDPOINT: Endpoint = Endpoint::post("/users", Who::Admin);

body! {
    /// A new user.
    struct Body {
        email: Email,
        username: Username,
        password: NewPassword,
        role: Role,
        /// The categories that the worker serves. Only for workers. Default: all.
        categories: Option<Categories>,
    }
}

/// Creates a user, who signs in with the given password.
///
/// # Errors
/// 403 unless the caller is an administrator; 422 naming every wrong field; 409 for a taken
/// `username` or `email`.
pub async fn handle(context: &Context, request: Request) -> Result<Reply> {
    let claims = request.caller(ENDPOINT.who, &context.verifier)?;
    let (new, password) = parse(&request)?;
    let key = CreationKey::read(&request, &ENDPOINT, Some(&claims.sub))?;
    let state = context.store.auth_state(&claims.sub, &claims.sid).await?;
    let caller = current_caller(&claims, &state, Timestamp::now())?;
    let condition = AdminCondition::ActiveAdmin(&caller.id);
    let (user, replayed) =
        new_account::create(&context.store, new, password, key, condition).await?;
    tracing::info!(by = %caller.id, user = %user.id, "created {}", user.id);
    Reply::created(&format!("/users/{}", user.id), &UserView::from(&user))?
        .etag(user.version)?
        .idempotent_replayed(replayed)
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "Create a user of any role")
        .body::<Body>(
            json!({"email": "grace@example.com", "username": "grace", "password": "correct horse", "role": "admin"}),
        )
        .answer(Answer::created::<UserView<'_>>("The new user.").etag())
        .idempotent()
        .problems(&[&catalogue::NAME_TAKEN])
}

fn parse(request: &Request) -> Result<(NewUser, Secret)> {
    let Body { email, username, password, role, categories } =
        new_account::read(request.fields()?, |body: &Body| {
            (Some(&body.password), &body.username, &body.email)
        })?;
    Ok((NewUser { email, username, role, categories: categories.unwrap_or_default() }, password.0))
}
