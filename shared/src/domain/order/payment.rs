//! Stripe moves an order: what it says becomes facts, ledger entries and the state of payment.
//!
//! A fact is applied any number of times with the effect of once, and facts of one payment in any order end in the same state:
//! money that moved is entered under Stripe's id, final statements win over earlier ones, and the state of payment is read off the ledger.
//! Only [`FactKind::Processing`], [`FactKind::RequiresAction`] and [`FactKind::Failed`] replace each other as they come; they have to be taken
//! from the intent as Stripe gives it at the time of applying, not from an event that may be old.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::history::{Actor, EventKind, PaymentStep};
use super::ledger::{LedgerEntry, LedgerKind};
use super::table::{ActorKind, PaymentStatus, Status, Transition};
use super::transition::{By, Step, Who};
use super::{Mismatch, Order, Refusal, Timers, Visibility};
use crate::domain::ids::{ChargeId, ChargebackId, PaymentIntentId, RefundId};
use crate::domain::money::Money;
use crate::domain::user::{Caller, Role};

/// Something Stripe said about an order's payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// The payment intent it is about.
    pub intent: PaymentIntentId,
    /// What was said.
    pub kind: FactKind,
}

/// What Stripe said. The names are those of the intent's `status`, of a refund and of a dispute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FactKind {
    /// `processing`: Stripe waits for the bank.
    Processing,
    /// `requires_action`: Stripe waits for the client.
    RequiresAction,
    /// `requires_payment_method` after an attempt: it was declined.
    Failed,
    /// `succeeded`.
    Succeeded {
        /// The intent's `latest_charge`.
        charge: ChargeId,
        /// The intent's `amount_received`, in its `currency`.
        amount: Money,
        /// The balance transaction's `fee`, positive, in the account's currency; `None` while Stripe does not know.
        fee: Option<Money>,
    },
    /// `canceled`.
    Canceled,
    /// A refund, whoever made it.
    Refund {
        /// Which.
        refund: RefundId,
        /// Positive.
        amount: Money,
        /// How far it is.
        status: RefundStatus,
    },
    /// A dispute over the charge.
    Chargeback {
        /// Which.
        chargeback: ChargebackId,
        /// Positive; need not be the order's price.
        amount: Money,
        /// How far it is.
        state: ChargebackState,
    },
}

/// How far a refund is, in the only direction it goes: even one that succeeded can fail later
/// (<https://docs.stripe.com/refunds#failed-refunds>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundStatus {
    /// Stripe's `pending` and `requires_action`.
    Pending,
    /// Stripe's `succeeded`.
    Succeeded,
    /// Stripe's `failed` and `canceled`: the money is still, or again, here.
    Failed,
}

/// A refund as Stripe last told of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// Which.
    pub id: RefundId,
    /// Positive.
    pub amount: Money,
    /// How far it is.
    pub status: RefundStatus,
}

/// How far a dispute at the bank is (<https://docs.stripe.com/disputes/how-disputes-work>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChargebackState {
    /// Stripe's `warning_*` but closed: the bank asks, no money has moved.
    Inquiry,
    /// Stripe's `needs_response` and `under_review`: the money is withdrawn.
    Open,
    /// Stripe's `won` and `warning_closed`: the money is here.
    Won,
    /// Stripe's `lost`: the money is gone.
    Lost,
}

impl ChargebackState {
    fn is_closed(self) -> bool {
        matches!(self, Self::Won | Self::Lost)
    }

    /// It goes from an inquiry to a chargeback to its end, where it stays.
    fn follows(self, before: Self) -> bool {
        match before {
            Self::Inquiry => self != Self::Inquiry,
            Self::Open => self.is_closed(),
            Self::Won | Self::Lost => false,
        }
    }
}

/// A dispute at the client's bank, as Stripe last told of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chargeback {
    /// Which.
    pub id: ChargebackId,
    /// Positive.
    pub amount: Money,
    /// How far it is.
    pub state: ChargebackState,
}

/// Something to be done at Stripe. It stays to be done until Stripe has said that it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MoneyStep {
    /// Cancel the intent of an order that was called off before it was paid.
    CancelIntent {
        /// Which.
        intent: PaymentIntentId,
    },
    /// Give back what an order that was called off holds.
    Refund {
        /// Whose charge.
        intent: PaymentIntentId,
        /// How much, positive.
        amount: Money,
        /// For Stripe: the same for every repetition of this attempt, another after a failure.
        idempotency_key: String,
    },
}

/// Why an admin should look at an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attention {
    /// Client and worker disagree.
    Dispute,
    /// The client's bank asks or has taken the money; Stripe waits for evidence.
    ChargebackOpen,
    /// Work goes on although the money is not, or not all, there any more.
    Unfunded,
    /// The money is to go back and refunds failed [`MAX_REFUND_ATTEMPTS`] times.
    RefundFailed,
}

/// Refunds that are tried before an admin has to find another way.
pub const MAX_REFUND_ATTEMPTS: usize = 3;

/// Attempts to pay that an order's history keeps. Further ones take place and are not noted, unless they succeed: a client who has card
/// after card declined must not make the item grow without end.
pub const MAX_NOTED_ATTEMPTS: usize = 20;

impl Order {
    /// Stripe's idempotency key for making the intent: one order, one intent.
    pub fn intent_idempotency_key(&self) -> String {
        format!("{}-intent", self.id)
    }

    /// Whether this user may be given the order's payment intent: its client, while it waits for payment or when it has one already.
    pub fn check_payable(&self, caller: &Caller) -> Result<(), Refusal> {
        if !caller.active {
            return Err(Refusal::Inactive);
        }
        if self.visibility(caller) == Visibility::None {
            return Err(Refusal::NotFound);
        }
        if caller.role != Role::Client || self.client.id != caller.id {
            return Err(Refusal::Forbidden);
        }
        if self.payment_intent.is_some() || self.status == Status::Pending {
            return Ok(());
        }
        Err(Refusal::NotPayable { status: self.status, version: self.version })
    }

    /// Notes the intent that Stripe made for this order. `None`: it was noted already. An order that was called off meanwhile takes it too,
    /// and has it canceled ([`Order::money_steps`]). Another intent than the one noted is a [`Refusal::Mismatch`].
    pub fn bind_intent(&self, intent: PaymentIntentId, by: By) -> Result<Option<Self>, Refusal> {
        let actor = match &by.who {
            Who::User(caller) if caller.id == self.client.id => Actor::user(ActorKind::Client, caller),
            Who::User(_) | Who::Timer => return Err(Refusal::Forbidden),
        };
        if self.binds(&intent)? {
            return Ok(None);
        }
        let kind = EventKind::Payment(PaymentStep::PaymentStarted);
        let step = Step { kind, actor, at: by.at, note: by.note, idempotency: by.idempotency };
        Ok(Some(self.step(step, |order, _| order.payment_intent = Some(intent))))
    }

    /// The order after what Stripe said; `None` when it knew already. It is never refused for its state: money that moved is entered.
    /// What is of another intent, charge, amount or currency is a [`Refusal::Mismatch`].
    ///
    /// A payment that succeeds makes a pending order open; when the order was called off meanwhile, the money is to go back. An intent that is
    /// canceled cancels a pending order: it could never be paid. Nothing else moves work, and nothing moves it backwards.
    pub fn payment_fact(&self, fact: &Fact, at: Timestamp, timers: &Timers) -> Result<Option<Self>, Refusal> {
        self.binds(&fact.intent)?;
        let intent = fact.intent.clone();
        let say = |kind: EventKind, change: &dyn Fn(&mut Self, Timestamp)| {
            let actor = Actor::system(ActorKind::Stripe);
            Some(self.step(Step { kind, actor, at, note: None, idempotency: None }, |order, at| {
                // A webhook may come before the answer to the call that made the intent.
                order.payment_intent = Some(intent);
                change(order, at);
            }))
        };
        let attempt = |status, step| {
            let waits = self.status == Status::Pending && !self.is_charged() && !self.intent_canceled;
            if !waits || self.payment_status == status || self.noted_attempts() >= MAX_NOTED_ATTEMPTS {
                return None;
            }
            Some((EventKind::Payment(step), status))
        };
        let attempted = |attempt: Option<(EventKind, PaymentStatus)>| {
            attempt.and_then(|(kind, status)| say(kind, &|order, at| order.set_attempt(status, at, timers)))
        };
        Ok(match &fact.kind {
            FactKind::Processing => attempted(attempt(PaymentStatus::Processing, PaymentStep::PaymentProcessing)),
            _ => None,
        })
    }
}
