//! `GET /services/{id}`: one service. Only administrators see deactivated services.

use shared::domain::ids::ServiceId;
use shared::domain::service::ServiceStatus;
use shared::domain::user::Role;
use shared::error::{Error, Result};

use super::ServiceView;
use crate::http::{Endpoint, Reply, Request, Who};
use crate::openapi::{Answer, Operation};
use crate::runtime::context::Context;

const ENDPOINT: Endpoint = Endpoint::get("/services/{id}", Who::OptionallySignedIn);

/// Returns one service.
///
/// # Errors
/// 404 when the service does not exist, or is deactivated and the caller is not an administrator;
/// 401 for an invalid access token.
pub async fn handle(context: &Context, request: Request) -> Result<Reply> {
    // A token is optional, but must be valid if sent.
    let claims = request.caller_if_signed_in(&context.verifier)?;
    let admin = claims.is_some_and(|claims| claims.role == Role::Admin);
    let id: ServiceId = request.path_id("service")?;
    let service = context.store.service(&id).await?.map(|stored| stored.service);
    let service = service
        .filter(|s| s.status == ServiceStatus::Active || admin)
        .ok_or_else(|| Error::not_found("service"))?;
    let reply = Reply::ok(&ServiceView::from(&service))?.etag(service.version)?;
    if admin { Ok(reply) } else { reply.cacheable_if_revalidated() }
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "Read a service")
        .id::<ServiceId>()
        .details("Only administrators see deactivated services.")
        .answer(Answer::ok::<ServiceView<'_>>("The service.").etag())
        .if_none_match()
}
