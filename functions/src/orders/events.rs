//! `GET /orders/{id}/events`: what happened to an order, numbered, and who did it.

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

/// `{items: [{n, at, type, actor: {kind, id?, username?}, note, status, payment_status, worker,
/// deadline}], next_cursor: null}`, oldest first.
///
/// Always all of it, on one page: a history is bounded, because what could be repeated without end
/// is counted (revisions, handovers) or noted only so often (attempts to pay). A worker is not
/// shown the steps of the payment; their numbers are missing then.
///
/// # Errors
/// 404 for all but its client, its worker and administrators: the pool sees an order, not its
/// history.
pub async fn handle(context: &Context, request: Request) -> Result<Reply> {
    let claims = request.caller(ENDPOINT.who, &context.verifier)?;
    let id: OrderId = request.path_id("order")?;
    let (caller, order) = read::with_caller(&context.store, &claims, &id).await?;
    if order.visibility(&caller) != Visibility::Full {
        return Err(Error::not_found("order"));
    }
    page::reply(&request, shown_to(&order, &caller), None)?.etag(order.version)
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "What happened to an order, and who did it")
        .details(
            "For its client, its worker and administrators. Always the whole history, oldest first: it is bounded. A worker is not shown the steps of \
             the payment; their numbers are missing then.",
        )
        .id::<OrderId>()
        .answer(Answer::page::<EventView<'_>>("All events.").etag())
        .if_none_match()
}

fn shown_to<'a>(order: &'a Order, caller: &Caller) -> Vec<EventView<'a>> {
    let all = caller.role == Role::Admin || order.client.id == caller.id;
    let shown = |event: &&Event| all || matches!(event.kind, EventKind::Transition(_));
    order.history.iter().filter(shown).map(EventView::from).collect()
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "OrderEvent")]
struct EventView<'a> {
    /// 1, 2, 3, ...: the order's version after it.
    n: u64,
    #[schemars(with = "DateTime")]
    at: Timestamp,
    /// A move of the table (`accept`), or a step of the payment (`payment_failed`).
    #[serde(rename = "type")]
    kind: &'static str,
    actor: &'a Actor,
    /// What was said about it: a note or a reason.
    note: Option<&'a Note>,
    /// The work's state afterwards; so are the following.
    status: Status,
    payment_status: PaymentStatus,
    worker: Option<&'a Person>,
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
