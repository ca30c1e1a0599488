//! `GET /users/{id}`: any user, for an administrator.

use jiff::Timestamp;
use shared::domain::ids::UserId;
use shared::error::{Error, Result};

use crate::auth::UserView;
use crate::http::{Endpoint, Reply, Request, Who, current_caller};
use crate::openapi::{Answer, Operation};
use crate::runtime::context::Context;

const ENDPOINT: Endpoint = Endpoint::get("/users/{id}", Who::Admin);

/// Returns one user. The caller's account is checked as it is now, not as the token says, because
/// this is another person's data.
///
/// # Errors
/// 403 unless the caller is an administrator; 404 for an unknown user.
pub async fn handle(context: &Context, request: Request) -> Result<Reply> {
    let claims = request.caller(ENDPOINT.who, &context.verifier)?;
    let id: UserId = request.path_id("user")?;
    let (state, account) =
        context.store.auth_state_and_account(&claims.sub, &claims.sid, &id).await?;
    current_caller(&claims, &state, Timestamp::now())?;
    let user = account.ok_or_else(|| Error::not_found("user"))?.user;
    Reply::ok(&UserView::from(&user))?.etag(user.version)
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "Read a user")
        .id::<UserId>()
        .answer(Answer::ok::<UserView<'_>>("The user.").etag())
        .if_none_match()
}
