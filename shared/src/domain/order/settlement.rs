//! Derives from an order's state where its money is, what Stripe still has to do, and whether an
//! administrator should look at it.

use jiff::{SignedDuration, Timestamp};

use super::aggregate::Order;
use super::ledger::LedgerKind;
use super::payment::{ChargebackState, RefundStatus};
use super::state::{PaymentStatus, Status};
use super::transition_error::TransitionError;
use super::visibility::Visibility;
use crate::domain::ids::PaymentIntentId;
use crate::domain::money::Money;
use crate::domain::string_enum::string_enum;
use crate::domain::user::{Caller, Role};

/// Something that has to be done at Stripe. It stays due until Stripe reports that it is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StripeAction {
    /// Cancel the intent of an order that was canceled before it was paid.
    CancelIntent {
        /// The intent to cancel.
        intent: PaymentIntentId,
    },
    /// Refund the money that a canceled order still holds.
    Refund {
        /// The intent whose charge to refund.
        intent: PaymentIntentId,
        /// The amount to refund, positive.
        amount: Money,
        /// Stripe's idempotency key: the same whenever this attempt is repeated, and a new one
        /// after a failure.
        idempotency_key: String,
    },
}

string_enum! {
    /// Why an administrator should look at an order.
    Attention {
        /// The client and the worker disagree.
        Dispute = "dispute",
        /// The client's bank asks for information or has withdrawn the money. Stripe waits for
        /// evidence.
        ChargebackOpen = "chargeback_open",
        /// The work goes on, but the order no longer holds its full price.
        Unfunded = "unfunded",
        /// A refund is due, but it failed or was refused 3 times.
        RefundFailed = "refund_failed",
    }
}

/// How long the functions that run by the clock may need for an order that waits for them. They run
/// every minute and every five minutes.
pub const STUCK_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// How many refunds are attempted before an administrator has to find another way.
pub const MAX_REFUND_ATTEMPTS: usize = 3;

impl Order {
    /// Returns Stripe's idempotency key for creating the intent. It depends only on the order, so
    /// an order never gets a second intent.
    pub fn intent_idempotency_key(&self) -> String {
        format!("{}-intent", self.id)
    }

    /// Checks whether this user may have the order's payment intent: only its client, while the
    /// order waits for payment or when it has an intent already.
    ///
    /// # Errors
    ///
    /// [`TransitionError::Inactive`] if the user is not active, [`TransitionError::NotFound`] if
    /// the user may not see the order, [`TransitionError::Forbidden`] if the user is not its
    /// client, and [`TransitionError::NotPayable`] if the order ended without an intent.
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

    /// Returns what has to be done at Stripe now. It follows from the order's state alone, so it
    /// can be computed at any time and carried out repeatedly.
    pub fn stripe_action(&self) -> Option<StripeAction> {
        let intent = self.payment_intent.clone().filter(|_| self.status == Status::Canceled)?;
        if !self.is_charged() {
            return (!self.intent_canceled).then_some(StripeAction::CancelIntent { intent });
        }
        let failed = self.failed_refunds();
        let in_progress = self.refunds.iter().any(|refund| refund.status == RefundStatus::Pending);
        // The balance excludes money that a bank has withdrawn. If the marketplace wins the
        // chargeback, the money is part of the balance again, and is then refunded.
        let balance = self.ledger.balance();
        if balance <= 0 || in_progress || failed >= MAX_REFUND_ATTEMPTS {
            return None;
        }
        let idempotency_key = format!("{}-refund-{failed}-{balance}", self.id);
        Some(StripeAction::Refund {
            intent,
            amount: Money::new(balance, self.price.currency()),
            idempotency_key,
        })
    }

    /// Returns whether the order's money may still move: a [`StripeAction`] is due, Stripe is
    /// carrying one out, or the order has an intent that may have been paid without a webhook
    /// reaching us.
    pub fn has_unsettled_money(&self) -> bool {
        let payable = self.status == Status::Pending && self.payment_intent.is_some();
        payable
            || self.stripe_action().is_some()
            || self.payment_status == PaymentStatus::RefundPending
    }

    /// Returns whether the order should have moved on by itself more than [`STUCK_AFTER`] ago: its
    /// deadline has passed, or something has to be done at Stripe.
    pub fn is_stuck(&self, now: Timestamp) -> bool {
        let is_long_ago = |at: Timestamp| now.duration_since(at) > STUCK_AFTER;
        self.deadline.is_some_and(is_long_ago)
            || (self.stripe_action().is_some() && is_long_ago(self.updated_at))
    }

    /// Returns why an administrator should look at the order. Empty for most orders.
    pub fn attention(&self) -> Vec<Attention> {
        let chargeback_open =
            self.chargebacks.iter().any(|chargeback| !chargeback.state.is_closed());
        let in_progress = matches!(
            self.status,
            Status::Open | Status::Assigned | Status::Delivered | Status::Disputed
        );
        let refund_failed = self.payment_status == PaymentStatus::RefundPending
            && self.ledger.balance() > 0
            && self.failed_refunds() >= MAX_REFUND_ATTEMPTS;
        [
            (Attention::Dispute, self.status == Status::Disputed),
            (Attention::ChargebackOpen, chargeback_open),
            (Attention::Unfunded, in_progress && !self.is_funded()),
            (Attention::RefundFailed, refund_failed),
        ]
        .into_iter()
        .filter_map(|(attention, applies)| applies.then_some(attention))
        .collect()
    }

    /// Returns whether a worker could claim the order: it is open and holds its full price. The
    /// pool lists these orders.
    pub fn is_claimable(&self) -> bool {
        self.status == Status::Open && self.is_funded()
    }

    /// Returns whether the order holds its full price.
    pub fn is_funded(&self) -> bool {
        self.is_charged() && self.ledger.balance() >= self.price.amount()
    }

    /// Returns whether the payment succeeded, whatever happened to the money since.
    pub fn is_charged(&self) -> bool {
        self.ledger.first(LedgerKind::Charge).is_some()
    }

    /// Returns the payment status that the ledger implies once there is a charge. A canceled order
    /// that still holds money has to refund it.
    pub(super) fn derived_payment_status(&self) -> PaymentStatus {
        if !self.is_charged() {
            return self.payment_status;
        }
        let chargeback_undecided =
            self.chargebacks.iter().any(|chargeback| chargeback.state == ChargebackState::Open);
        let all_returned = self.ledger.balance() <= 0 && !chargeback_undecided;
        match self.status {
            Status::Canceled if all_returned => PaymentStatus::Refunded,
            Status::Canceled => PaymentStatus::RefundPending,
            // Someone refunded it in Stripe's dashboard while the order goes on.
            _ if all_returned && self.ledger.refunded() > 0 => PaymentStatus::Refunded,
            _ => PaymentStatus::Paid,
        }
    }

    /// Returns how many refunds failed or were refused.
    fn failed_refunds(&self) -> usize {
        let failed =
            self.refunds.iter().filter(|refund| refund.status == RefundStatus::Failed).count();
        failed + usize::try_from(self.refused_refunds).unwrap_or(usize::MAX)
    }
}
