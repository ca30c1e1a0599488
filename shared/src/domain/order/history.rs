//! An order's numbered history: who did what and when, and what the order looked like afterwards.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::state::{ActorKind, PaymentStatus, Status, Transition};
use crate::domain::ids::{Fingerprint, UserId};
use crate::domain::string_enum::string_enum;
use crate::domain::text::Note;
use crate::domain::user::{Caller, Person, Username};

string_enum! {
    /// What happened to the payment, without a change to the status of the work.
    PaymentEvent {
        /// The payment intent was created.
        PaymentStarted = "payment_started",
        /// Stripe is waiting for the bank.
        PaymentProcessing = "payment_processing",
        /// Stripe is waiting for the client.
        PaymentRequiresAction = "payment_requires_action",
        /// A payment attempt was declined.
        PaymentFailed = "payment_failed",
        /// The payment succeeded after the order was canceled. The money is refunded.
        PaidLate = "paid_late",
        /// The payment intent was canceled.
        PaymentCanceled = "payment_canceled",
        /// Stripe reported its fee for the charge.
        FeeKnown = "fee_known",
        /// Stripe accepted a refund.
        RefundStarted = "refund_started",
        /// A refund succeeded.
        RefundSucceeded = "refund_succeeded",
        /// A refund failed.
        RefundFailed = "refund_failed",
        /// Stripe refused to make a refund.
        RefundRefused = "refund_refused",
        /// The client's bank disputed the charge.
        ChargebackOpened = "chargeback_opened",
        /// The bank's dispute was decided.
        ChargebackClosed = "chargeback_closed",
    }
}

/// What happened. In JSON it is one string (`accept`, `payment_failed`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum EventKind {
    /// A transition of the table.
    Transition(Transition),
    /// A change to the payment.
    Payment(PaymentEvent),
}

impl EventKind {
    /// Returns the event's name in JSON: `accept`, `payment_failed`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Transition(transition) => transition.as_str(),
            Self::Payment(event) => event.as_str(),
        }
    }
}

/// Who caused an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Actor {
    /// The actor's relation to the order.
    pub kind: ActorKind,
    /// The user's id. Absent for Stripe and timers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<UserId>,
    /// The username at that time. Absent for Stripe and timers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<Username>,
}

impl Actor {
    /// Creates the actor for a user.
    pub(super) fn user(kind: ActorKind, caller: &Caller) -> Self {
        Self { kind, id: Some(caller.id.clone()), username: Some(caller.username.clone()) }
    }

    /// Creates the actor for Stripe or a timer.
    pub(super) const fn system(kind: ActorKind) -> Self {
        Self { kind, id: None, username: None }
    }
}

/// Identifies the request that caused an event. It is stored in the event, so one write contains
/// both the effect of a request and the proof that it was carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Idempotency {
    /// The fingerprint of the caller, the operation and the `Idempotency-Key`.
    pub key: Fingerprint,
    /// The fingerprint of the request that carried the key.
    pub request: Fingerprint,
}

impl Idempotency {
    /// Creates the fingerprints of a request. A key is valid for one caller and one operation
    /// (`orders-accept`). `request` is everything else that distinguishes two requests: the path
    /// parameters and the body.
    pub fn new(caller: &UserId, operation: &str, key: &str, request: &[&[u8]]) -> Self {
        let caller = caller.as_str().as_bytes();
        Self {
            key: Fingerprint::of(&[caller, operation.as_bytes(), key.as_bytes()]),
            request: Fingerprint::of(request),
        }
    }
}

/// One change to an order, and the order's public state afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The event's number (1, 2, 3, ...), which is also the order's version afterwards.
    pub n: u64,
    /// When it happened. Never earlier than the previous event.
    pub at: Timestamp,
    /// What happened.
    pub kind: EventKind,
    /// Who caused it.
    pub actor: Actor,
    /// The actor's note or reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
    /// The request that caused it, if that carried an `Idempotency-Key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency: Option<Idempotency>,
    /// The status of the work afterwards.
    pub status: Status,
    /// The status of the payment afterwards.
    pub payment_status: PaymentStatus,
    /// The worker afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<Person>,
    /// The deadline afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
}
