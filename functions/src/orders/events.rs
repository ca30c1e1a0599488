//! `GET /orders/{id}/events`: the order's history: what happened, in which order, and who did it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use shared::domain::ids::OrderId;
use shared::domain::order::{Actor, Event, EventKind, Order, PaymentStatus, Status, Visibility};
use shared::domain::schema::DateTime;
use shared::domain::text::Note;
use shared::domain::user::{Caller, Person, Role};
use shared::error::{Error, Result};

use super::read;
use crate::http::{Endpoint, Reply, Request, Who, page};
use crate::openapi::{Answer, Operation};
use crate::runtime::context::Context;

const ENDPOINT: Endpoint = Endpoint::get("/orders/{id}/events", Who::User);

/// Returns the whole history on one page, oldest first. Its length is bounded: whatever could
/// repeat without end is limited (revisions, handovers) or recorded only a limited number of times
/// (attempts to pay). Workers don't see the steps of the payment, so their list skips some numbers.
///
/// # Errors
/// 404 unless the caller is the order's client, its worker or an administrator. A worker who sees
/// the order in the pool does not see its history.
pub async fn handle(context: &Context, request: Request) -> Result<Reply> {
    let claims = request.caller(ENDPOINT.who, &context.verifier)?;
    let id: OrderId = request.path_id("order")?;
    let (caller, order) = read::with_caller(&context.store, &claims, &id).await?;
    if order.visibility(&caller) != Visibility::Full {
        return Err(Error::not_found("order"));
    }
    page::reply(&request, visible_events(&order, &caller), None)?.etag(order.version)
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "Read an order's history")
        .details(
            "For the order's client, its worker and administrators. Returns the whole history on \
             one page, oldest first. Workers don't see the steps of the payment, so their list \
             skips some numbers.",
        )
        .id::<OrderId>()
        .answer(Answer::page::<EventView<'_>>("The events.").etag())
        .if_none_match()
}

fn visible_events<'a>(order: &'a Order, caller: &Caller) -> Vec<EventView<'a>> {
    let sees_payment = caller.role == Role::Admin || order.client.id == caller.id;
    let is_visible =
        |event: &&Event| sees_payment || matches!(event.kind, EventKind::Transition(_));
    order.history.iter().filter(is_visible).map(EventView::from).collect()
}

/// An event in the history of an order.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "OrderEvent")]
struct EventView<'a> {
    /// The number of the event (1, 2, 3, ...), which is the order's version after it.
    n: u64,
    #[schemars(with = "DateTime")]
    at: Timestamp,
    /// A transition of the table at `GET /orders/{id}`, or a step of the payment:
    /// `payment_started`, `payment_processing`, `payment_requires_action`, `payment_failed`,
    /// `paid_late`, `payment_canceled`, `fee_known`, `refund_started`, `refund_succeeded`,
    /// `refund_failed`, `refund_refused`, `chargeback_opened` or `chargeback_closed`.
    #[serde(rename = "type")]
    kind: &'static str,
    actor: &'a Actor,
    /// The note or the reason that the actor gave.
    note: Option<&'a Note>,
    /// The order's status after the event.
    status: Status,
    /// The status of the payment after the event.
    payment_status: PaymentStatus,
    /// The order's worker after the event.
    worker: Option<&'a Person>,
    /// The order's deadline after the event.
    #[schemars(with = "Option<DateTime>")]
    deadline: Option<Timestamp>,
}

impl<'a> From<&'a Event> for EventView<'a> {
    fn from(event: &'a Event) -> Self {
        Self {
            n: event.n,
            at: event.at,
            kind: event.kind.as_str(),
            actor: &event.actor,
            note: event.note.as_ref(),
            status: event.status,
            payment_status: event.payment_status,
            worker: event.worker.as_ref(),
            deadline: event.deadline,
        }
    }
}
