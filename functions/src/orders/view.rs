//! The API's representation of an order.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use shared::domain::ids::OrderId;
use shared::domain::money::Price;
use shared::domain::order::{Attention, Order, OrderedService, PaymentStatus, Status, Transition};
use shared::domain::schema::DateTime;
use shared::domain::text::Note;
use shared::domain::user::{Caller, Person, Role};
use shared::error::Result;

use crate::http::Reply;

/// An order.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Order")]
pub struct OrderView<'a> {
    #[serde(skip)]
    order: &'a Order,
    id: &'a OrderId,
    status: Status,
    payment_status: PaymentStatus,
    service: &'a OrderedService,
    /// What the client pays.
    price: Price,
    /// Who placed the order.
    client: &'a Person,
    /// The worker of the order; `null` while it has none.
    worker: Option<&'a Person>,
    /// What the client wrote when placing the order.
    note: Option<&'a Note>,
    /// What you may do now. Each action has an endpoint whose path ends with its name:
    /// `POST /orders/{id}/request-revision` for `request_revision`.
    actions: Vec<&'static str>,
    /// Grows with each change. The `ETag` contains it.
    version: u64,
    #[schemars(with = "DateTime")]
    created_at: Timestamp,
    #[schemars(with = "DateTime")]
    updated_at: Timestamp,
    /// When the order moves on by itself: an order that is not paid or not claimed by then is
    /// canceled, and a delivery that is not reviewed by then is completed. `null` if it does not.
    #[schemars(with = "Option<DateTime>")]
    deadline: Option<Timestamp>,
    /// Why the order needs an administrator. Only administrators see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    attention: Option<Vec<Attention>>,
}

impl<'a> OrderView<'a> {
    /// Represents the order with these actions.
    pub fn new(order: &'a Order, actions: &[Transition]) -> Self {
        let mut actions: Vec<_> = actions.iter().map(|transition| transition.action()).collect();
        actions.dedup();
        Self {
            order,
            id: &order.id,
            status: order.status,
            payment_status: order.payment_status,
            service: &order.service,
            price: order.price,
            client: &order.client,
            worker: order.worker.as_ref(),
            note: order.note.as_ref(),
            actions,
            version: order.version,
            created_at: order.created_at,
            updated_at: order.updated_at,
            deadline: order.deadline,
            attention: None,
        }
    }

    /// Adds `attention` if the reader is an administrator.
    #[must_use]
    pub fn for_reader(self, role: Role) -> Self {
        let attention = (role == Role::Admin).then(|| self.order.attention());
        Self { attention, ..self }
    }

    /// Replies with the order as the caller sees it, with its `ETag`. `replayed` marks a repeat of
    /// the first response.
    ///
    /// # Errors
    /// None in practice.
    pub(crate) fn reply(order: &'a Order, caller: &Caller, replayed: bool) -> Result<Reply> {
        Reply::ok(&Self::new(order, &order.actions(caller)).for_reader(caller.role))?
            .etag(order.version)?
            .idempotent_replayed(replayed)
    }
}
