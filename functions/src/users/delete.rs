//! `DELETE /users/{id}`: an administrator deactivates a user. What the user did stays, and so do
//! the names: no one else gets them.

use shared::domain::ids::UserId;
use shared::domain::user::{UserChange, UserStatus};
use shared::error::Result;

use super::govern;
use crate::http::{Empty, Endpoint, Reply, Request, Who};
use crate::openapi::{Answer, Operation};
use crate::runtime::context::Context;

const ENDPOINT: Endpoint = Endpoint::delete("/users/{id}", Who::Admin);

/// Deactivates a user. One who is deactivated stays so: sending it again is no error.
///
/// # Errors
/// 403 for all but administrators; 404; 409 for oneself and for the last active administrator; 412
/// when `If-Match` names another version.
pub async fn handle(context: &Context, request: Request) -> Result<Reply> {
    let claims = request.caller(ENDPOINT.who, &context.verifier)?;
    let id: UserId = request.path_id("user")?;
    let Empty {} = request.body_as()?;
    let change = UserChange { status: Some(UserStatus::Deactivated), ..UserChange::default() };
    govern::change(context, &request, &claims, &id, change).await?;
    Ok(Reply::no_content())
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "Deactivate a user")
        .details("What the user did stays, and the names stay taken. `PATCH` with `{\"status\": \"active\"}` lets the user back in.")
        .id::<UserId>()
        .answer(Answer::no_content("Deactivated, now or before."))
        .if_match()
        .problems(&govern::PROBLEMS)
}
