//! `DELETE /services/{id}`: an administrator takes a service off the catalogue. Nothing is lost:
//! its orders go on, and `PATCH {"status": "active"}` brings it back.

use shared::domain::ids::ServiceId;
use shared::domain::service::{ServiceChange, ServiceStatus};
use shared::error::{Result, catalogue};

use super::update;
use crate::context::Context;
use crate::http::{Reply, Request};
use crate::openapi::{Answer, Operation, Who};

/// 204 once it is deactivated, or was before.
///
/// # Errors
/// 403 for all but administrators, 404, 412 for another version than `If-Match` names.
pub async fn handle(context: &Context, request: Request) -> Result<Reply> {
    let deactivation =
        ServiceChange { status: Some(ServiceStatus::Deactivated), ..ServiceChange::default() };
    update::change(context, &request, deactivation).await?;
    Ok(Reply::no_content())
}

/// In the API description.
pub fn describe() -> Operation {
    Operation::delete("/services/{id}", "services-delete", "Take a service off the catalogue")
        .who(Who::Admin)
        .id::<ServiceId>()
        .details("It is deactivated: its orders go on, and it can be brought back. Doing it again changes nothing.")
        .answer(Answer::no_content("It is deactivated."))
        .if_match()
        .problems(&[&catalogue::VERSION_CONFLICT])
}
