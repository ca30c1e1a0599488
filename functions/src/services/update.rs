//! `PATCH /services/{id}`: an administrator changes a service or restores a deactivated one.
//! Existing orders keep the name and the price.

use jiff::Timestamp;
use serde_json::json;
use shared::auth::Claims;
use shared::domain::ids::ServiceId;
use shared::domain::money::Price;
use shared::domain::service::{Service, ServiceChange, ServiceStatus};
use shared::domain::text::{Category, Description, Name};
use shared::error::{Error, Result, catalogue};
use shared::store::{StoredService, WriteOutcome};

use super::ServiceView;
use crate::http::{Endpoint, Reply, Request, Who, body, current_caller};
use crate::openapi::{Answer, Operation};
use crate::runtime::context::Context;

const ENDPOINT: Endpoint = Endpoint::patch("/services/{id}", Who::Admin);

body! {
    /// The fields to change; missing fields stay as they are.
    struct Body {
        name: Option<Name>,
        description: Option<Description>,
        category: Option<Category>,
        price: Option<Price>,
        status: Option<ServiceStatus>,
    }
}

/// How many times a change is tried when other requests keep changing the service.
const ATTEMPTS: usize = 5;

/// Changes the given fields. A request that changes nothing makes no new version.
///
/// # Errors
/// 403 unless the caller is an administrator; 404 for an unknown service; 412 when `If-Match` names
/// another version; 409 when other requests keep changing the service; 422 naming every wrong
/// field.
pub async fn handle(context: &Context, request: Request) -> Result<Reply> {
    let claims = request.caller(ENDPOINT.who, &context.verifier)?;
    let Body { name, description, category, price, status } = request.body_as()?;
    let changed = change(
        context,
        &request,
        &claims,
        ServiceChange { name, description, category, price, status },
    )
    .await?;
    Reply::ok(&ServiceView::from(&changed))?.etag(changed.version)
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "Change a service")
        .id::<ServiceId>()
        .details(
            "Existing orders keep the service's name and price from when they were placed. \
             `{\"status\": \"active\"}` restores a deactivated service.",
        )
        .body::<Body>(json!({"price": {"amount": 2499, "currency": "usd"}}))
        .answer(Answer::ok::<ServiceView<'_>>("The changed service.").etag())
        .if_match()
        .problems(&[&catalogue::VERSION_CONFLICT])
}

/// Changes a service on behalf of the calling administrator, and returns it.
pub(super) async fn change(
    context: &Context,
    request: &Request,
    claims: &Claims,
    change: ServiceChange,
) -> Result<Service> {
    let id: ServiceId = request.path_id("service")?;
    let now = Timestamp::now();
    let (state, mut found) =
        context.store.auth_state_and_service(&claims.sub, &claims.sid, &id).await?;
    current_caller(claims, &state, now)?;
    for _ in 0..ATTEMPTS {
        let before = found.ok_or_else(|| Error::not_found("service"))?;
        request.check_if_match(before.service.version)?;
        let Some(next) = before.service.changed(change.clone(), now) else {
            return Ok(before.service);
        };
        let next = StoredService::new(next, before.created_by.clone());
        match context.store.update_service(&next, &before).await? {
            WriteOutcome::Written => {
                let Service { id, status, version, .. } = &next.service;
                tracing::info!(service = %id, by = %claims.sub, status = status.as_str(), version, "changed {id}");
                return Ok(next.service);
            }
            // Another request was faster. The next attempt changes the service as that request
            // left it.
            WriteOutcome::Conflict(current) => found = current,
        }
    }
    Err(Error::new(
        &catalogue::VERSION_CONFLICT,
        "Other requests are changing the service. Read it and try again.",
    ))
}
