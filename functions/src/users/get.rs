//! `GET /users/{id}`: any user, for administrators.

use jiff::Timestamp;
use shared::domain::ids::UserId;
use shared::error::{Error, Result};

use super::govern;
use crate::auth::UserView;
use crate::context::Context;
use crate::http::{Reply, Request, active};
use crate::openapi::{Answer, Operation, Who};

/// One user. The caller is looked at as of now, not as of the token: these are other people's data.
///
/// # Errors
/// 403 for all but administrators; 404.
pub async fn handle(context: &Context, request: Request) -> Result<Reply> {
    let claims = govern::administrator(context, &request)?;
    let id: UserId = request.path_id("user")?;
    let (standing, account) =
        context.store.auth_state_and_account(&claims.sub, &claims.sid, &id).await?;
    active(&claims, &standing, Timestamp::now())?;
    let user = account.ok_or_else(|| Error::not_found("user"))?.user;
    Reply::ok(&UserView::from(&user))?.etag(user.version)
}

/// In the API description.
pub fn describe() -> Operation {
    Operation::get("/users/{id}", "users-get", "A user")
        .who(Who::Admin)
        .id::<UserId>()
        .answer(Answer::ok::<UserView<'_>>("The user.").etag())
        .if_none_match()
}
