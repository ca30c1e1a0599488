//! `GET /services/{id}`: a service, for anyone; a deactivated one for administrators only.

use shared::domain::ids::ServiceId;
use shared::domain::service::ServiceStatus;
use shared::domain::user::Role;
use shared::error::{Error, Result};

use super::ServiceView;
use crate::http::{Endpoint, Reply, Request, Who};
use crate::openapi::{Answer, Operation};
use crate::runtime::context::Context;

const ENDPOINT: Endpoint = Endpoint::get("/services/{id}", Who::AnyoneOrUser);

/// One service.
///
/// # Errors
/// 404 when it is not there, or deactivated and the caller no administrator.
pub async fn handle(context: &Context, request: Request) -> Result<Reply> {
    // Signing in is not needed, but a token that is sent must be valid.
    let claims = request.caller_if_signed_in(&context.verifier)?;
    let admin = claims.is_some_and(|claims| claims.role == Role::Admin);
    let id: ServiceId = request.path_id("service")?;
    let service = context.store.service(&id).await?.map(|stored| stored.service);
    let service = service
        .filter(|s| s.status == ServiceStatus::Active || admin)
        .ok_or_else(|| Error::not_found("service"))?;
    let reply = Reply::ok(&ServiceView::from(&service))?.etag(service.version)?;
    if admin { Ok(reply) } else { reply.revalidated() }
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "A service")
        .id::<ServiceId>()
        .details("One that was deactivated is there for administrators only.")
        .answer(Answer::ok::<ServiceView<'_>>("The service.").etag())
        .if_none_match()
}
