//! `GET /users/{id}`: any user, for administrators.

use jiff::Timestamp;
use shared::domain::ids::UserId;
use shared::error::{Error, Result};

use crate::auth::UserView;
use crate::http::{Endpoint, Reply, Request, Who, current_caller};
use crate::openapi::{Answer, Operation};
use crate::runtime::context::Context;

const ENDPOINT: Endpoint = Endpoint::get("/users/{id}", Who::Admin);

/// One user. The caller is looked at as of now, not as of the token: these are other people's data.
///
/// # Errors
/// 403 for all but administrators; 404.
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
    Operation::new(&ENDPOINT, "A user")
        .id::<UserId>()
        .answer(Answer::ok::<UserView<'_>>("The user.").etag())
        .if_none_match()
}
