//! `DELETE /services/{id}`: an administrator removes a service from the catalogue. The service is
//! deactivated: its orders go on, and `PATCH {"status": "active"}` restores it.

use shared::domain::ids::ServiceId;
use shared::domain::service::{ServiceChange, ServiceStatus};
use shared::error::{Result, catalogue};

use super::update;
use crate::http::{Endpoint, Reply, Request, Who};
use crate::openapi::{Answer, Operation};
use crate::runtime::context::Context;

const ENDPOINT: Endpoint = Endpoint::delete("/services/{id}", Who::Admin);

/// Deactivates a service. Deactivating a service twice succeeds.
///
/// # Errors
/// 403 unless the caller is an administrator; 404 for an unknown service; 412 when `If-Match` names
/// another version.
pub async fn handle(context: &Context, request: Request) -> Result<Reply> {
    let claims = request.caller(ENDPOINT.who, &context.verifier)?;
    let deactivation =
        ServiceChange { status: Some(ServiceStatus::Deactivated), ..ServiceChange::default() };
    update::change(context, &request, &claims, deactivation).await?;
    Ok(Reply::no_content())
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "Remove a service from the catalogue")
        .id::<ServiceId>()
        .details(
            "Deactivates the service. Its existing orders continue. `PATCH` with \
             `{\"status\": \"active\"}` restores it. Deactivating it twice succeeds.",
        )
        .answer(Answer::no_content("The service is deactivated."))
        .if_match()
        .problems(&[&catalogue::VERSION_CONFLICT])
}
