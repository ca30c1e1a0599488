//! What Stripe reports about an order's payment.

use serde::{Deserialize, Serialize};

use crate::domain::ids::{ChargeId, ChargebackId, PaymentIntentId, RefundId};
use crate::domain::money::Money;
use crate::domain::string_enum::string_enum;

/// A report from Stripe about an order's payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentFact {
    /// The payment intent that the report is about.
    pub intent: PaymentIntentId,
    /// What Stripe reported.
    pub kind: PaymentFactKind,
}

/// What Stripe reported. The names follow the `status` of the intent, the refund or the dispute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentFactKind {
    /// `processing`: Stripe is waiting for the bank.
    Processing,
    /// `requires_action`: Stripe is waiting for the client.
    RequiresAction,
    /// `requires_payment_method` after an attempt: the attempt was declined.
    Failed,
    /// `succeeded`.
    Succeeded {
        /// The intent's `latest_charge`.
        charge: ChargeId,
        /// The intent's `amount_received`, in its `currency`.
        amount: Money,
        /// The balance transaction's `fee`: positive, in the account's currency. `None` while
        /// Stripe does not know it yet.
        fee: Option<Money>,
    },
    /// `canceled`.
    Canceled,
    /// A refund, whoever made it.
    Refund {
        /// The refund's id.
        refund: RefundId,
        /// The refunded amount, positive.
        amount: Money,
        /// The refund's status.
        status: RefundStatus,
    },
    /// A dispute over the charge.
    Chargeback {
        /// The dispute's id.
        chargeback: ChargebackId,
        /// The disputed amount, positive. It can differ from the order's price.
        amount: Money,
        /// The dispute's state.
        state: ChargebackState,
    },
}

string_enum! {
    /// The status of a refund. It only moves forward, but a refund that succeeded can still fail
    /// later (<https://docs.stripe.com/refunds#failed-refunds>).
    RefundStatus {
        /// Stripe's `pending` and `requires_action`.
        Pending = "pending",
        /// Stripe's `succeeded`.
        Succeeded = "succeeded",
        /// Stripe's `failed` and `canceled`: the marketplace still has the money, or has it again.
        Failed = "failed",
    }
}

/// A refund, as Stripe last reported it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// The refund's id.
    pub id: RefundId,
    /// The refunded amount, positive.
    pub amount: Money,
    /// The refund's status.
    pub status: RefundStatus,
}

string_enum! {
    /// The state of a dispute at the client's bank
    /// (<https://docs.stripe.com/disputes/how-disputes-work>).
    ChargebackState {
        /// Stripe's `warning_*` except `warning_closed`: the bank asks for information. No money
        /// has moved.
        Inquiry = "inquiry",
        /// Stripe's `needs_response` and `under_review`: the bank withdrew the money.
        Open = "open",
        /// Stripe's `won` and `warning_closed`: the marketplace has the money.
        Won = "won",
        /// Stripe's `lost`: the money is gone.
        Lost = "lost",
    }
}

impl ChargebackState {
    /// Returns whether the dispute is decided.
    pub(super) fn is_closed(self) -> bool {
        matches!(self, Self::Won | Self::Lost)
    }

    /// Returns whether a dispute can move from `before` to this state. It can go from an inquiry to
    /// a chargeback and from either to its decision, which is final.
    pub(super) fn follows(self, before: Self) -> bool {
        match before {
            Self::Inquiry => self != Self::Inquiry,
            Self::Open => self.is_closed(),
            Self::Won | Self::Lost => false,
        }
    }
}

/// A dispute at the client's bank, as Stripe last reported it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chargeback {
    /// The dispute's id.
    pub id: ChargebackId,
    /// The disputed amount, positive.
    pub amount: Money,
    /// The dispute's state.
    pub state: ChargebackState,
}
