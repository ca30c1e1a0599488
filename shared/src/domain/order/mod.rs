//! Orders: one aggregate with its state of work, its state of payment, its numbered history and its
//! ledger.
//!
//! - [`state`]: the words; [`table`]: the moves there are, as data, and [`diagram`]: the same for
//!   people
//! - [`transition`]: people and timers move an order ([`Order::place`], [`Order::transition`])
//! - [`payment`]: what Stripe can say, the state of payment, and what is to be done at Stripe
//!   ([`Order::money_step`])
//! - [`fact`]: Stripe moves an order ([`Order::payment_fact`])
//! - [`history`]: what happened, and the answer to a repeated request ([`Order::replay`])
//! - [`ledger`]: the money
//!
//! Every function takes the order as it is and gives the order as it would be. The store writes
//! that on condition that the order is still as it was (its `version`), so of two movers at once
//! one wins.

pub mod diagram;
pub mod fact;
pub mod history;
pub mod ledger;
pub mod payment;
pub mod state;
pub mod table;
pub mod transition;
mod transition_error;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::history::{Actor, Event, EventKind, Idempotency, PaymentStep};
pub use self::ledger::{Ledger, LedgerEntry, LedgerKind};
pub use self::payment::{
    Attention, Chargeback, ChargebackState, MoneyStep, PaymentFact, PaymentFactKind, Refund,
    RefundStatus,
};
pub use self::state::{ActorKind, PaymentStatus, Status, Transition};
pub use self::table::{Effect, Guard, Rule, TABLE, Timer};
pub use self::transition::{ActorContext, Who};
pub use self::transition_error::{Mismatch, TransitionError};
use super::ids::{OrderId, PaymentIntentId, ServiceId};
use super::money::Price;
use super::service::Service;
use super::text::{Category, Name, Note};
use super::user::{Caller, Person, Role};

/// How long each timer runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timers {
    /// [`Timer::Unpaid`].
    pub unpaid: SignedDuration,
    /// [`Timer::Unclaimed`].
    pub unclaimed: SignedDuration,
    /// [`Timer::Unreviewed`].
    pub unreviewed: SignedDuration,
}

impl Default for Timers {
    /// 30 minutes, 7 days, 3 days.
    fn default() -> Self {
        Self {
            unpaid: SignedDuration::from_mins(30),
            unclaimed: SignedDuration::from_hours(7 * 24),
            unreviewed: SignedDuration::from_hours(3 * 24),
        }
    }
}

impl Timers {
    /// When a timer armed at this time goes off.
    fn deadline(&self, timer: Timer, armed: Timestamp) -> Timestamp {
        let runs = match timer {
            Timer::Unpaid => self.unpaid,
            Timer::Unclaimed => self.unclaimed,
            Timer::Unreviewed => self.unreviewed,
        };
        armed.checked_add(runs).unwrap_or(Timestamp::MAX)
    }
}

/// A service as it was when it was ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderedService {
    /// Which.
    pub id: ServiceId,
    /// Its name of that time.
    pub name: Name,
    /// Its category of that time: the pool that the order is in.
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

/// An order. Its fields are for reading: it changes by the functions of this module only, each of
/// which adds one event, so that `history.len() == version`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Which.
    pub id: OrderId,
    /// The work's state.
    pub status: Status,
    /// The money's state.
    pub payment_status: PaymentStatus,
    /// What was ordered.
    pub service: OrderedService,
    /// The service's price when it was ordered: what is charged, whatever becomes of the service.
    pub price: Price,
    /// Who ordered.
    pub client: Person,
    /// Who works on it; also who did, of an order that was canceled meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<Person>,
    /// What the client added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
    /// Number of the last event; the condition of every write.
    pub version: u64,
    /// When placed.
    pub created_at: Timestamp,
    /// When last changed.
    pub updated_at: Timestamp,
    /// When the state's timer goes off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
    /// The one payment intent it ever has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_intent: Option<PaymentIntentId>,
    /// Stripe said that the intent is canceled.
    #[serde(default)]
    pub intent_canceled: bool,
    /// Refunds that Stripe told of, however they came about.
    #[serde(default)]
    pub refunds: Vec<Refund>,
    /// How often Stripe would not make one.
    #[serde(default)]
    pub refused_refunds: u32,
    /// How often its client requested a revision.
    #[serde(default)]
    pub revisions: u32,
    /// How often it was released or reassigned.
    #[serde(default)]
    pub handovers: u32,
    /// Disputes at the client's bank. (A disagreement between client and worker is
    /// [`Status::Disputed`].)
    #[serde(default)]
    pub chargebacks: Vec<Chargeback>,
    /// The money.
    pub ledger: Ledger,
    /// Everything that happened, oldest first. Empty in lists, whose indexes do not carry it.
    #[serde(default)]
    pub history: Vec<Event>,
}

/// How much of an order someone may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Visibility {
    /// The order and its history: its client, its worker, admins.
    Full,
    /// The order, not its history: workers, while it is open.
    Pool,
    /// Not even that it exists.
    None,
}

impl Order {
    /// What this user may see of it.
    pub fn visibility(&self, caller: &Caller) -> Visibility {
        let is_party = self.client.id == caller.id || self.is_worker(caller);
        match caller.role {
            _ if is_party => Visibility::Full,
            Role::Admin => Visibility::Full,
            Role::Worker if self.status == Status::Open => Visibility::Pool,
            Role::Worker | Role::Client => Visibility::None,
        }
    }

    /// What this user may do now, in the order of [`Transition::ALL`]: exactly what
    /// [`Order::transition`] would not refuse.
    pub fn actions(&self, caller: &Caller) -> Vec<Transition> {
        let by = ActorContext::user(caller, self.updated_at);
        let named = |t: &Transition| self.check(*t, &by).is_ok();
        Transition::ALL.into_iter().filter(named).collect()
    }

    /// As [`Order::actions`], for an active user of this standing. Who only reads the pool stands
    /// as a worker.
    pub fn actions_as(&self, kind: ActorKind) -> Vec<Transition> {
        let named = |t: &Transition| self.rule(*t, kind, self.updated_at, None).is_ok();
        Transition::ALL.into_iter().filter(named).collect()
    }

    /// Whether a worker could claim it: open, and its whole price is here. The pool lists these.
    pub fn is_claimable(&self) -> bool {
        self.status == Status::Open && self.is_funded()
    }

    /// Whoever is at the other end of this party's messages. Only its client and its worker write
    /// on an order.
    pub fn correspondent(&self, caller: &Caller) -> Result<&Person, TransitionError> {
        if self.client.id == caller.id {
            self.worker.as_ref().ok_or(TransitionError::NoWorkerYet { version: self.version })
        } else if self.is_worker(caller) {
            Ok(&self.client)
        } else if self.visibility(caller) == Visibility::None {
            Err(TransitionError::NotFound)
        } else {
            Err(TransitionError::Forbidden)
        }
    }

    fn is_worker(&self, caller: &Caller) -> bool {
        self.worker.as_ref().is_some_and(|worker| worker.id == caller.id)
    }
}

#[cfg(test)]
pub(in crate::domain) mod tests;
