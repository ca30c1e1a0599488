//! `POST /services`: an administrator adds a service to the catalogue.

use jiff::Timestamp;
use serde_json::json;
use shared::domain::ids::ServiceId;
use shared::domain::money::Price;
use shared::domain::service::{NewService, Service};
use shared::domain::text::{Category, Description, Name};
use shared::error::{Error, Result};
use shared::store::{StoredService, WriteOutcome};
use uuid::Uuid;

use super::ServiceView;
use crate::http::{Endpoint, Reply, Request, Who, body, current_caller};
use crate::openapi::{Answer, Operation};
use crate::runtime::context::Context;

const ENDPOINT: Endpoint = Endpoint::post("/services", Who::Admin);

body! {
    /// A new service.
    struct Body {
        name: Name,
        description: Description,
        category: Category,
        price: Price,
    }
}

/// Adds a service.
///
/// # Errors
/// 403 unless the caller is an administrator; 422 naming every wrong field.
pub async fn handle(context: &Context, request: Request) -> Result<Reply> {
    let claims = request.caller(ENDPOINT.who, &context.verifier)?;
    let Body { name, description, category, price } = request.body_as()?;
    let new = NewService { name, description, category, price };
    let created_by = request.idempotency(&ENDPOINT, &claims.sub)?;
    let id = ServiceId::for_request(
        created_by.as_ref().map(|idempotency| &idempotency.key),
        Uuid::now_v7(),
    );
    let now = Timestamp::now();
    let (state, before) =
        context.store.auth_state_and_service(&claims.sub, &claims.sid, &id).await?;
    current_caller(&claims, &state, now)?;
    let created = StoredService::new(Service::new(id, new, now), created_by);
    match before {
        Some(before) => replay(&before, created),
        None => match context.store.create_service(&created).await? {
            WriteOutcome::Written => {
                tracing::info!(service = %created.service.id, by = %claims.sub, "added {}", created.service.id);
                reply(&created.service, false)
            }
            // The same request was sent twice at once, and the other one was faster.
            WriteOutcome::Conflict(Some(before)) => replay(&before, created),
            WriteOutcome::Conflict(None) => {
                Err(Error::internal("a condition failed, but the item does not exist"))
            }
        },
    }
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "Add a service to the catalogue")
        .body::<Body>(json!({
            "name": "Logo", "description": "Three drafts, two rounds.", "category": "Design", "price": {"amount": 1999, "currency": "usd"},
        }))
        .answer(Answer::created::<ServiceView<'_>>("The service.").etag())
        .idempotent()
}

/// Repeats the first response, if this is the same request: the service as the first request
/// created it.
fn replay(before: &StoredService, mut again: StoredService) -> Result<Reply> {
    if before.created_by.is_none() || before.created_by != again.created_by {
        return Err(Error::idempotency_key_reused());
    }
    again.service.created_at = before.service.created_at;
    again.service.updated_at = before.service.created_at;
    reply(&again.service, true)
}

fn reply(service: &Service, replayed: bool) -> Result<Reply> {
    Reply::created(&format!("/services/{}", service.id), &ServiceView::from(service))?
        .etag(service.version)?
        .idempotent_replayed(replayed)
}
