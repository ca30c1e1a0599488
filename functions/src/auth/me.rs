//! `GET /auth/me`: who the caller is.

use shared::error::{Error, Result, catalogue};

use super::UserView;
use crate::context::Context;
use crate::http::{Reply, Request, bearer};
use crate::openapi::{Answer, Operation, Who};

/// The caller's own user.
///
/// # Errors
/// 401 without a valid token.
pub async fn handle(context: &Context, request: Request) -> Result<Reply> {
    let claims = bearer(&request, &context.verifier)?;
    let account = context.store.account(&claims.sub).await?;
    let user = account
        .ok_or_else(|| Error::new(&catalogue::INVALID_TOKEN, "There is no such user any more."))?
        .user;
    Reply::ok(&UserView::from(&user))?.etag(user.version)
}

/// In the API description.
pub fn describe() -> Operation {
    Operation::get("/auth/me", "auth-me", "Who one is")
        .who(Who::User)
        .answer(Answer::ok::<UserView<'_>>("The caller.").etag())
        .if_none_match()
}
