//! `GET /services/{id}`: a service, for anyone; a deactivated one for administrators only.

use http::header::AUTHORIZATION;
use shared::domain::ids::ServiceId;
use shared::domain::service::ServiceStatus;
use shared::domain::user::Role;
use shared::error::{Error, Result};

use super::ServiceView;
use crate::context::Context;
use crate::http::{Reply, Request, bearer};
use crate::openapi::{Answer, Operation, Who};

/// One service.
///
/// # Errors
/// 404 when it is not there, or deactivated and the caller no administrator.
pub async fn handle(context: &Context, request: Request) -> Result<Reply> {
    // Signing in is not needed, but a token that is sent must be good.
    let admin = match request.header(AUTHORIZATION) {
        Some(_) => bearer(&request, &context.verifier)?.role == Role::Admin,
        None => false,
    };
    let id: ServiceId = request.path_id("service")?;
    let service = context.store.service(&id).await?.map(|stored| stored.service);
    let service = service
        .filter(|s| s.status == ServiceStatus::Active || admin)
        .ok_or_else(|| Error::not_found("service"))?;
    let reply = Reply::ok(&ServiceView::from(&service))?.etag(service.version)?;
    if admin { Ok(reply) } else { reply.revalidated() }
}

/// In the API description.
pub fn describe() -> Operation {
    Operation::get("/services/{id}", "services-get", "A service")
        .who(Who::AnyoneOrUser)
        .id::<ServiceId>()
        .details("One that was deactivated is there for administrators only.")
        .answer(Answer::ok::<ServiceView<'_>>("The service.").etag())
        .if_none_match()
}
