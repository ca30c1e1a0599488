//! `DELETE /services/{id}`: an administrator takes a service off the catalogue. Nothing is lost:
//! its orders go on, and `PATCH {"status": "active"}` brings it back.

use shared::domain::ids::ServiceId;
use shared::domain::service::{ServiceChange, ServiceStatus};
use shared::error::{Result, catalogue};

use super::update;
use crate::http::{Endpoint, Reply, Request, Who};
use crate::openapi::{Answer, Operation};
use crate::runtime::context::Context;

const ENDPOINT: Endpoint = Endpoint::delete("/services/{id}", Who::Admin);

/// 204 once it is deactivated, or was before.
///
/// # Errors
/// 403 for all but administrators, 404, 412 for another version than `If-Match` names.
pub async fn handle(context: &Context, request: Request) -> Result<Reply> {
    let claims = request.caller(ENDPOINT.who, &context.verifier)?;
    let deactivation =
        ServiceChange { status: Some(ServiceStatus::Deactivated), ..ServiceChange::default() };
    update::change(context, &request, &claims, deactivation).await?;
    Ok(Reply::no_content())
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "Take a service off the catalogue")
        .id::<ServiceId>()
        .details("It is deactivated: its orders go on, and it can be brought back. Doing it again changes nothing.")
        .answer(Answer::no_content("It is deactivated."))
        .if_match()
        .problems(&[&catalogue::VERSION_CONFLICT])
}
