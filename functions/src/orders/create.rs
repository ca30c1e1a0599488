//! `POST /orders`: a client orders a service at its current price.

use jiff::Timestamp;
use serde_json::json;
use shared::domain::ids::{OrderId, ServiceId};
use shared::domain::order::{ActorContext, Idempotency, Order};
use shared::domain::text::Note;
use shared::domain::user::Caller;
use shared::error::{Error, Result, catalogue};
use shared::store::WriteOutcome;
use uuid::Uuid;

use super::{OrderView, Orders};
use crate::http::{Endpoint, Reply, Request, Who, body, current_caller};
use crate::openapi::{Answer, Operation};

const ENDPOINT: Endpoint = Endpoint::post("/orders", Who::Client);

body! {
    /// A new order.
    struct Body {
        service_id: ServiceId,
        note: Option<Note>,
    }
}

/// Places an order.
///
/// # Errors
/// 403 unless the caller is a client; 404 when there is no such active service; 422 naming every
/// wrong field.
pub async fn handle(context: &Orders, request: Request) -> Result<Reply> {
    let claims = request.caller(ENDPOINT.who, &context.verifier)?;
    let Body { service_id, note } = request.body_as()?;
    let key = request.idempotency(&ENDPOINT, &claims.sub)?;
    // The id is derived from the caller and the key, so an existing order proves that the request
    // was carried out.
    let id = OrderId::for_request(key.as_ref().map(|idempotency| &idempotency.key), Uuid::now_v7());

    let now = Timestamp::now();
    let (state, service) =
        context.store.auth_state_and_service(&claims.sub, &claims.sid, &service_id).await?;
    let caller = current_caller(&claims, &state, now)?;
    let service = service.ok_or_else(|| Error::not_found("service"))?.service;
    let by = ActorContext::user(&caller, now).note(note).idempotency(key.clone());
    let placed = Order::place(id.clone(), &service, by, &context.timers);
    // A repeated request gets its first response even if the service was removed in the meantime.
    if let (Err(_), Some(_)) = (&placed, &key)
        && let Some(before) = context.store.order(&id).await?
    {
        return replay(&before, key.as_ref(), &caller);
    }
    let order = placed?;
    match context.store.place_order(&order).await? {
        WriteOutcome::Written => {
            tracing::Span::current().record("order", tracing::field::display(&order.id));
            reply(&order, &caller, false)
        }
        WriteOutcome::Conflict(before) => replay(
            &before.ok_or_else(|| {
                Error::internal("a condition failed, but the item does not exist")
            })?,
            key.as_ref(),
            &caller,
        ),
    }
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "Order a service")
        .details("The order keeps the service's current price. It is `pending` until it is paid.")
        .body::<Body>(
            json!({"service_id": ServiceId::derived(&["seed", "Graphic Design"]), "note": "In blue, please."}),
        )
        .answer(Answer::created::<OrderView<'_>>("The order.").etag())
        .idempotent()
        .problems(&[&catalogue::NOT_FOUND])
}

/// Repeats the first response, if this is the same request.
fn replay(before: &Order, key: Option<&Idempotency>, caller: &Caller) -> Result<Reply> {
    let first = key.map(|key| before.replay(key)).transpose()?.flatten();
    let first = first.ok_or_else(Error::idempotency_key_reused)?;
    reply(&first, caller, true)
}

fn reply(order: &Order, caller: &Caller, replayed: bool) -> Result<Reply> {
    let view = OrderView::new(order, &order.actions(caller));
    Reply::created(&format!("/orders/{}", order.id), &view)?
        .etag(order.version)?
        .idempotent_replayed(replayed)
}
