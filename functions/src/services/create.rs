//! `POST /services`: an administrator adds a service to the catalogue.

use jiff::Timestamp;
use shared::domain::ids::ServiceId;
use shared::domain::money::{Money, Price};
use shared::domain::service::{NewService, Service};
use shared::domain::text::{Category, Description, Name};
use shared::domain::user::Role;
use shared::error::{Error, Result};
use shared::store::{Outcome, StoredService};
use uuid::Uuid;

use super::ServiceView;
use crate::context::Context;
use crate::http::{Problem, Reply, Request, active, bearer, idempotency, json, only, text};

/// Adds a service.
///
/// # Errors
/// 403 for all but administrators; 422 naming every wrong field.
pub async fn handle(context: &Context, request: Request) -> Result<Reply> {
    let claims = bearer(&request, &context.verifier)?;
    only(&claims, Role::Admin)?;
    let new = parse(&request)?;
    let created_by = idempotency(&request, &claims.sub, "services-create")?;
    let id = ServiceId::for_request(created_by.as_ref().map(|made| &made.key), Uuid::now_v7());
    let now = Timestamp::now();
    let (standing, before) = context.store.standing_and_service(&claims.sub, &claims.sid, &id).await?;
    active(&claims, &standing, now)?;
    let created = StoredService { service: Service::new(id, new, now), created_by };
    match before {
        Some(before) => replay(&before, created),
        None => match context.store.create_service(&created).await? {
            Outcome::Written => reply(&created.service, false),
            // The same request, sent twice at once: the other one was faster.
            Outcome::Conflict(Some(before)) => replay(&before, created),
            Outcome::Conflict(None) => Err(Error::internal("a condition failed on no item")),
        },
    }
}

/// The first answer again, if the request was the same: what it asked for, as of when it was first asked.
fn replay(before: &StoredService, mut again: StoredService) -> Result<Reply> {
    if before.created_by.is_none() || before.created_by != again.created_by {
        return Err(Error::key_reused());
    }
    again.service.created_at = before.service.created_at;
    again.service.updated_at = before.service.created_at;
    reply(&again.service, true)
}

fn reply(service: &Service, replayed: bool) -> Result<Reply> {
    Reply::created(&format!("/services/{}", service.id), &ServiceView::from(service))?
        .etag(service.version)?
        .replayed(replayed)
}

fn parse(request: &Request) -> Result<NewService> {
    let mut body = request.fields()?;
    let name = body.required("name", text(Name::parse));
    let description = body.required("description", text(Description::parse));
    let category = body.required("category", text(Category::parse));
    let price = body.required("price", price);
    let (name, description, category, price) = body.finish((name, description, category, price))?;
    Ok(NewService { name, description, category, price })
}

/// `{"amount": 1999, "currency": "usd"}`, within what Stripe charges.
fn price(field: &str, value: serde_json::Value) -> std::result::Result<Price, Problem> {
    let money: Money =
        json(r#"Must be {"amount": whole minor units, "currency": lower-case ISO 4217 code}."#)(field, value)?;
    Price::parse(money).map_err(|invalid| vec![invalid.at(format!("{field}.amount"))])
}
