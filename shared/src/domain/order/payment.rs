//! The money side of an order: what Stripe can say, the state that follows from it, and what is to
//! be done at Stripe.

use serde::{Deserialize, Serialize};

use super::ledger::LedgerKind;
use super::state::{PaymentStatus, Status};
use super::{Order, TransitionError, Visibility};
use crate::domain::ids::{ChargeId, ChargebackId, PaymentIntentId, RefundId};
use crate::domain::money::Money;
use crate::domain::string_enum::string_enum;
use crate::domain::user::{Caller, Role};

/// Something Stripe said about an order's payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentFact {
    /// The payment intent it is about.
    pub intent: PaymentIntentId,
    /// What was said.
    pub kind: PaymentFactKind,
}

/// What Stripe said. The names are those of the intent's `status`, of a refund and of a dispute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentFactKind {
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
        /// The balance transaction's `fee`, positive, in the account's currency; `None` while
        /// Stripe does not know.
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

string_enum! {
    /// How far a refund is, in the only direction it goes: even one that succeeded can fail later
    /// (<https://docs.stripe.com/refunds#failed-refunds>).
    RefundStatus {
        /// Stripe's `pending` and `requires_action`.
        Pending = "pending",
        /// Stripe's `succeeded`.
        Succeeded = "succeeded",
        /// Stripe's `failed` and `canceled`: the money is still, or again, here.
        Failed = "failed",
    }
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

string_enum! {
    /// How far a dispute at the bank is (<https://docs.stripe.com/disputes/how-disputes-work>).
    ChargebackState {
        /// Stripe's `warning_*` but closed: the bank asks, no money has moved.
        Inquiry = "inquiry",
        /// Stripe's `needs_response` and `under_review`: the money is withdrawn.
        Open = "open",
        /// Stripe's `won` and `warning_closed`: the money is here.
        Won = "won",
        /// Stripe's `lost`: the money is gone.
        Lost = "lost",
    }
}

impl ChargebackState {
    fn is_closed(self) -> bool {
        matches!(self, Self::Won | Self::Lost)
    }

    /// It goes from an inquiry to a chargeback to its end, where it stays.
    pub(super) fn follows(self, before: Self) -> bool {
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

string_enum! {
    /// Why an admin should look at an order.
    Attention {
        /// Client and worker disagree.
        Dispute = "dispute",
        /// The client's bank asks or has taken the money; Stripe waits for evidence.
        ChargebackOpen = "chargeback_open",
        /// Work goes on although the money is not, or not all, there any more.
        Unfunded = "unfunded",
        /// The money is to go back, and refunds failed or were refused [`MAX_REFUND_ATTEMPTS`]
        /// times.
        RefundFailed = "refund_failed",
    }
}

/// Refunds that are tried before an admin has to find another way.
pub const MAX_REFUND_ATTEMPTS: usize = 3;

/// Attempts to pay that an order's history keeps. Further ones take place and are not noted, unless
/// they succeed: a client who has card after card declined must not make the item grow without end.
pub const MAX_NOTED_ATTEMPTS: usize = 20;

impl Order {
    /// Stripe's idempotency key for making the intent: one order, one intent.
    pub fn intent_idempotency_key(&self) -> String {
        format!("{}-intent", self.id)
    }

    /// Whether this user may be given the order's payment intent: its client, while it waits for
    /// payment or when it has one already.
    pub fn check_payable(&self, caller: &Caller) -> Result<(), TransitionError> {
        if !caller.active {
            return Err(TransitionError::Inactive);
        }
        if self.visibility(caller) == Visibility::None {
            return Err(TransitionError::NotFound);
        }
        if caller.role != Role::Client || self.client.id != caller.id {
            return Err(TransitionError::Forbidden);
        }
        if self.payment_intent.is_some() || self.status == Status::Pending {
            return Ok(());
        }
        Err(TransitionError::NotPayable { status: self.status, version: self.version })
    }

    /// What is to be done at Stripe now. It follows from the state alone, so it can be asked at any
    /// time, by anybody, and repeated.
    pub fn money_step(&self) -> Option<MoneyStep> {
        let intent = self.payment_intent.clone().filter(|_| self.status == Status::Canceled)?;
        if !self.is_charged() {
            return (!self.intent_canceled).then_some(MoneyStep::CancelIntent { intent });
        }
        let failed = self.failed_attempts();
        let under_way = self.refunds.iter().any(|refund| refund.status == RefundStatus::Pending);
        // What a bank has taken back is not here to be refunded; should the chargeback be won, it
        // is.
        let balance = self.ledger.balance();
        if balance <= 0 || under_way || failed >= MAX_REFUND_ATTEMPTS {
            return None;
        }
        let idempotency_key = format!("{}-refund-{failed}-{balance}", self.id);
        Some(MoneyStep::Refund {
            intent,
            amount: Money::new(balance, self.price.currency()),
            idempotency_key,
        })
    }

    /// Whether its money has yet to come to rest: there is a [`Order::money_step`] to take, Stripe
    /// is carrying one out, or there is an intent that may have been paid without our being told.
    pub fn has_money_under_way(&self) -> bool {
        let payable = self.status == Status::Pending && self.payment_intent.is_some();
        payable
            || self.money_step().is_some()
            || self.payment_status == PaymentStatus::RefundPending
    }

    /// Why an admin should look at it; empty for most.
    pub fn attention(&self) -> Vec<Attention> {
        let chargeback_open =
            self.chargebacks.iter().any(|chargeback| !chargeback.state.is_closed());
        let at_work = matches!(
            self.status,
            Status::Open | Status::Assigned | Status::Delivered | Status::Disputed
        );
        let refund_failed = self.payment_status == PaymentStatus::RefundPending
            && self.ledger.balance() > 0
            && self.failed_attempts() >= MAX_REFUND_ATTEMPTS;
        [
            (Attention::Dispute, self.status == Status::Disputed),
            (Attention::ChargebackOpen, chargeback_open),
            (Attention::Unfunded, at_work && !self.is_funded()),
            (Attention::RefundFailed, refund_failed),
        ]
        .into_iter()
        .filter_map(|(attention, holds)| holds.then_some(attention))
        .collect()
    }

    /// Whether the whole price is here.
    pub fn is_funded(&self) -> bool {
        self.is_charged() && self.ledger.balance() >= self.price.amount()
    }

    /// Whether the payment succeeded, whatever became of the money since.
    pub fn is_charged(&self) -> bool {
        self.ledger.find(LedgerKind::Charge).is_some()
    }

    /// The state of payment, once there is a charge, is read off the ledger. Whatever an order that
    /// was called off holds is to go back.
    pub(super) fn derived_payment_status(&self) -> PaymentStatus {
        if !self.is_charged() {
            return self.payment_status;
        }
        let bank_decides =
            self.chargebacks.iter().any(|chargeback| chargeback.state == ChargebackState::Open);
        let all_back = self.ledger.balance() <= 0 && !bank_decides;
        match self.status {
            Status::Canceled if all_back => PaymentStatus::Refunded,
            Status::Canceled => PaymentStatus::RefundPending,
            // Refunded by hand, at Stripe, while the order goes on.
            _ if all_back && self.ledger.refunded() > 0 => PaymentStatus::Refunded,
            _ => PaymentStatus::Paid,
        }
    }

    /// Refunds that failed, and those that Stripe would not make.
    fn failed_attempts(&self) -> usize {
        let failed =
            self.refunds.iter().filter(|refund| refund.status == RefundStatus::Failed).count();
        failed + usize::try_from(self.refused_refunds).unwrap_or(usize::MAX)
    }
}
