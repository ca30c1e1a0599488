//! `GET /auth/me`: who the caller is.

use shared::error::{Error, Result, catalogue};

use super::UserView;
use crate::http::{Endpoint, Reply, Request, Who};
use crate::openapi::{Answer, Operation};
use crate::runtime::context::Context;

const ENDPOINT: Endpoint = Endpoint::get("/auth/me", Who::User);

/// The caller's own user.
///
/// # Errors
/// 401 without a valid token.
pub async fn handle(context: &Context, request: Request) -> Result<Reply> {
    let claims = request.caller(ENDPOINT.who, &context.verifier)?;
    let account = context.store.account(&claims.sub).await?;
    let user = account
        .ok_or_else(|| Error::new(&catalogue::INVALID_TOKEN, "There is no such user any more."))?
        .user;
    Reply::ok(&UserView::from(&user))?.etag(user.version)
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "Who one is")
        .answer(Answer::ok::<UserView<'_>>("The caller.").etag())
        .if_none_match()
}
