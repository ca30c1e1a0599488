//! `DELETE /users/{id}`: an administrator deactivates a user. The user's orders and messages stay,
//! and nobody else can take the username or the e-mail address.

use shared::domain::ids::UserId;
use shared::domain::user::{UserChange, UserStatus};
use shared::error::Result;

use super::change;
use crate::http::{Empty, Endpoint, Reply, Request, Who};
use crate::openapi::{Answer, Operation};
use crate::runtime::context::Context;

const ENDPOINT: Endpoint = Endpoint::delete("/users/{id}", Who::Admin);

/// Deactivates a user. Deactivating a user twice succeeds.
///
/// # Errors
/// 403 unless the caller is an administrator; 404 for an unknown user; 409 for the caller's own
/// account and for the last active administrator; 412 when `If-Match` names another version.
pub async fn handle(context: &Context, request: Request) -> Result<Reply> {
    let claims = request.caller(ENDPOINT.who, &context.verifier)?;
    let id: UserId = request.path_id("user")?;
    let Empty {} = request.body_as()?;
    let change = UserChange { status: Some(UserStatus::Deactivated), ..UserChange::default() };
    change::change_user(context, &request, &claims, &id, change).await?;
    Ok(Reply::no_content())
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "Deactivate a user")
        .details(
            "The user's orders and messages stay. The username and the e-mail address stay taken. \
             `PATCH` with `{\"status\": \"active\"}` reactivates the user.",
        )
        .id::<UserId>()
        .answer(Answer::no_content("The user is deactivated."))
        .if_match()
        .problems(&change::PROBLEMS)
}
