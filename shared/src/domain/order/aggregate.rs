//! The order itself.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::history::Event;
use super::ledger::Ledger;
use super::payment::{Chargeback, Refund};
use super::state::{PaymentStatus, Status};
use crate::domain::ids::{OrderId, PaymentIntentId, ServiceId};
use crate::domain::money::Price;
use crate::domain::service::Service;
use crate::domain::text::{Category, Name, Note};
use crate::domain::user::Person;

/// The ordered service, as it was when the order was placed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderedService {
    /// The service's id.
    pub id: ServiceId,
    /// The service's name at that time.
    pub name: Name,
    /// The service's category at that time. Workers who serve it see the order in their pool.
    pub category: Category,
}

impl From<&Service> for OrderedService {
    fn from(service: &Service) -> Self {
        Self {
            id: service.id.clone(),
            name: service.name.clone(),
            category: service.category.clone(),
        }
    }
}

/// An order. Read its fields freely, but change it only through the functions of this module: each
/// change adds one event, so that `history.len() == version`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The order's id.
    pub id: OrderId,
    /// The status of the work.
    pub status: Status,
    /// The status of the payment.
    pub payment_status: PaymentStatus,
    /// The ordered service.
    pub service: OrderedService,
    /// The service's price when the order was placed. This is charged, even if the service's price
    /// changes later.
    pub price: Price,
    /// The client who placed the order.
    pub client: Person,
    /// The worker who works on the order. A canceled order keeps its last worker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<Person>,
    /// The client's note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
    /// The number of the last event. Every write is conditional on it.
    pub version: u64,
    /// When the order was placed.
    pub created_at: Timestamp,
    /// When the order last changed.
    pub updated_at: Timestamp,
    /// When the status's timer runs out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
    /// The order's payment intent. An order never gets a second one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_intent: Option<PaymentIntentId>,
    /// Whether Stripe reported that the intent is canceled.
    #[serde(default)]
    pub intent_canceled: bool,
    /// The refunds that Stripe reported, whoever made them.
    #[serde(default)]
    pub refunds: Vec<Refund>,
    /// How many times Stripe refused to make a refund.
    #[serde(default)]
    pub refused_refunds: u32,
    /// How many times the client requested a revision.
    #[serde(default)]
    pub revisions: u32,
    /// How many times the order was released or reassigned.
    #[serde(default)]
    pub handovers: u32,
    /// Disputes at the client's bank. (A disagreement between client and worker is
    /// [`Status::Disputed`].)
    #[serde(default)]
    pub chargebacks: Vec<Chargeback>,
    /// The money that moved.
    pub ledger: Ledger,
    /// Every event, oldest first. Empty in lists, because their indexes do not contain it.
    #[serde(default)]
    pub history: Vec<Event>,
}
