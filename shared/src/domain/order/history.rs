//! An order's numbered history: who did what, when, and what the order was afterwards.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::state::{ActorKind, PaymentStatus, Status, Transition};
use super::{Order, TransitionError};
use crate::domain::ids::{Fingerprint, UserId};
use crate::domain::string_enum::string_enum;
use crate::domain::text::Note;
use crate::domain::user::{Caller, Person, Username};

string_enum! {
    /// A change of the money side that moves no work.
    PaymentStep {
        /// The order got its payment intent.
        PaymentStarted = "payment_started",
        /// Stripe waits for the bank.
        PaymentProcessing = "payment_processing",
        /// Stripe waits for the client.
        PaymentRequiresAction = "payment_requires_action",
        /// An attempt was declined.
        PaymentFailed = "payment_failed",
        /// The payment succeeded when the order no longer waited for it: it goes back.
        PaidLate = "paid_late",
        /// The intent was canceled.
        PaymentCanceled = "payment_canceled",
        /// What Stripe keeps of the charge became known.
        FeeKnown = "fee_known",
        /// Stripe took a refund on.
        RefundStarted = "refund_started",
        /// Stripe carried a refund out.
        RefundSucceeded = "refund_succeeded",
        /// A refund failed.
        RefundFailed = "refund_failed",
        /// Stripe would not make a refund.
        RefundRefused = "refund_refused",
        /// The client's bank disputes the charge.
        ChargebackOpened = "chargeback_opened",
        /// The bank's dispute is decided.
        ChargebackClosed = "chargeback_closed",
    }
}

/// What happened; one string in JSON (`accept`, `payment_failed`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum EventKind {
    /// A move of the table.
    Transition(Transition),
    /// A change of the money side.
    Payment(PaymentStep),
}

impl EventKind {
    /// `accept`, `payment_failed`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Transition(transition) => transition.as_str(),
            Self::Payment(step) => step.as_str(),
        }
    }
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Actor {
    /// As seen from the order.
    pub kind: ActorKind,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<UserId>,
    /// For people: the name of that time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<Username>,
}

impl Actor {
    /// A person.
    pub(super) fn user(kind: ActorKind, caller: &Caller) -> Self {
        Self { kind, id: Some(caller.id.clone()), username: Some(caller.username.clone()) }
    }

    /// Stripe or a timer.
    pub(super) const fn system(kind: ActorKind) -> Self {
        Self { kind, id: None, username: None }
    }
}

/// The proof, within the event that a request caused, that this request was carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Idempotency {
    /// Of caller, operation and `Idempotency-Key`.
    pub key: Fingerprint,
    /// Of what the key was sent with.
    pub request: Fingerprint,
}

impl Idempotency {
    /// A key belongs to its caller and to one operation (`orders-accept`); `request` is everything
    /// that would make it another request: the path's parameters and the body.
    pub fn new(caller: &UserId, operation: &str, key: &str, request: &[&[u8]]) -> Self {
        let caller = caller.as_str().as_bytes();
        Self {
            key: Fingerprint::of(&[caller, operation.as_bytes(), key.as_bytes()]),
            request: Fingerprint::of(request),
        }
    }
}

/// One change of an order, and the order's public state after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// 1, 2, 3, ...: the order's version after it.
    pub n: u64,
    /// When; never before the event that precedes it.
    pub at: Timestamp,
    /// What.
    pub kind: EventKind,
    /// Who.
    pub actor: Actor,
    /// What was said about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
    /// The request that it answers, when that carried an `Idempotency-Key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency: Option<Idempotency>,
    /// The work's state afterwards.
    pub status: Status,
    /// The money's state afterwards.
    pub payment_status: PaymentStatus,
    /// The worker afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<Person>,
    /// The deadline afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
}

impl Order {
    /// The order as it was after the event of this number; `None` for a number it has not had. The
    /// answer to a request that was carried out at that version can be given again from it. Payment
    /// intent, refunds and chargebacks, which no answer shows, stay as they are now.
    pub fn at(&self, version: u64) -> Option<Self> {
        let index = usize::try_from(version.checked_sub(1)?).ok()?;
        let event = self.history.get(index)?;
        let mut then = self.clone();
        then.status = event.status;
        then.payment_status = event.payment_status;
        then.worker = event.worker.clone();
        then.deadline = event.deadline;
        then.version = event.n;
        then.updated_at = event.at;
        then.history.truncate(index + 1);
        then.revisions = then.count(Transition::is_revision);
        then.handovers = then.count(Transition::is_handover);
        then.ledger = self.ledger.up_to(version);
        Some(then)
    }

    /// What a request with this key did when it came before: the order as it was then (`Some`),
    /// nothing because it never came (`None`), or a refusal because the key came with another
    /// request. To be asked before [`Order::transition`], and again after a lost race.
    pub fn replay(&self, request: &Idempotency) -> Result<Option<Self>, TransitionError> {
        let same_key = |event: &&Event| {
            event.idempotency.as_ref().is_some_and(|known| known.key == request.key)
        };
        let Some(event) = self.history.iter().find(same_key) else { return Ok(None) };
        if event.idempotency.as_ref() == Some(request) {
            Ok(self.at(event.n))
        } else {
            Err(TransitionError::KeyReused)
        }
    }

    /// Whether it once was this very version of itself: the same event, by the same actor, at the
    /// same time.
    pub fn was(&self, earlier: &Self) -> bool {
        let Some(last) = earlier.history.last() else { return false };
        self.id == earlier.id && self.history.get(earlier.history.len() - 1) == Some(last)
    }

    /// Whether the last that happened is that Stripe would not make a refund: asking again at once
    /// would get the same answer.
    pub fn was_just_refused(&self) -> bool {
        self.history
            .last()
            .is_some_and(|event| event.kind == EventKind::Payment(PaymentStep::RefundRefused))
    }

    /// Whether workers could once see it in the pool.
    pub(super) fn was_open(&self) -> bool {
        self.history.iter().any(|event| event.status == Status::Open)
    }

    fn count(&self, which: fn(Transition) -> bool) -> u32 {
        let counts = |event: &Event| matches!(event.kind, EventKind::Transition(transition) if which(transition));
        self.history.iter().map(|event| u32::from(counts(event))).sum()
    }
}
