//! `GET /auth/me`: the caller's own user.

use shared::error::{Error, Result, catalogue};

use super::UserView;
use crate::http::{Endpoint, Reply, Request, Who};
use crate::openapi::{Answer, Operation};
use crate::runtime::context::Context;

const ENDPOINT: Endpoint = Endpoint::get("/auth/me", Who::User);

/// Returns the caller's own user.
///
/// # Errors
/// 401 without a valid access token, or when the user no longer exists.
pub async fn handle(context: &Context, request: Request) -> Result<Reply> {
    let claims = request.caller(ENDPOINT.who, &context.verifier)?;
    let account = context.store.account(&claims.sub).await?;
    let user = account
        .ok_or_else(|| Error::new(&catalogue::INVALID_TOKEN, "This user no longer exists."))?
        .user;
    Reply::ok(&UserView::from(&user))?.etag(user.version)
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "Read your own account")
        .answer(Answer::ok::<UserView<'_>>("The user.").etag())
        .if_none_match()
}
