//! The money of one order as append-only entries.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::money::{Currency, Money};
use crate::domain::string_enum::string_enum;

string_enum! {
    /// What an entry is.
    LedgerKind {
        /// The client paid (positive).
        Charge = "charge",
        /// Money went back to the client (negative).
        Refund = "refund",
        /// A refund failed after Stripe had said that it succeeded: the money is here again
        /// (positive).
        RefundReversal = "refund_reversal",
        /// The client's bank took money back (negative).
        Chargeback = "chargeback",
        /// A chargeback was won: the money is here again (positive).
        ChargebackReversal = "chargeback_reversal",
        /// What Stripe keeps of a charge (negative); the marketplace's cost, never the client's
        /// money.
        Fee = "fee",
    }
}

/// One movement of money. Kind and Stripe's id together occur once in a ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// Number of the history event that brought it.
    pub event: u64,
    /// What it is.
    pub kind: LedgerKind,
    /// Signed: positive comes in, negative goes out.
    pub money: Money,
    /// The charge, refund or dispute at Stripe.
    pub stripe_id: String,
    /// When it was entered.
    pub at: Timestamp,
}

impl LedgerEntry {
    /// Unique within the order: `refund:re_123`.
    pub fn id(&self) -> String {
        format!("{}:{}", self.kind.as_str(), self.stripe_id)
    }
}

/// The entries of one order, oldest first. Entries are added by what Stripe says
/// (`Order::payment_fact`) and never changed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ledger(Vec<LedgerEntry>);

impl Ledger {
    /// Oldest first.
    pub fn entries(&self) -> &[LedgerEntry] {
        &self.0
    }

    /// What the order holds of its client's money, in minor units of the order's currency:
    /// everything but fees. It is zero before payment and again once all has gone back; below zero
    /// only when a bank took more than was paid.
    pub fn balance(&self) -> i64 {
        self.sum(|entry| entry.kind != LedgerKind::Fee)
    }

    /// What went back to the client by refunds, as a positive number.
    pub fn refunded(&self) -> i64 {
        -self.sum(|entry| matches!(entry.kind, LedgerKind::Refund | LedgerKind::RefundReversal))
    }

    /// What Stripe kept, as a positive number per currency: a fee is in the currency of the
    /// account, which need not be the order's.
    pub fn fees(&self, currency: Currency) -> i64 {
        -self.sum(|entry| entry.kind == LedgerKind::Fee && entry.money.currency == currency)
    }

    /// The entry of this kind, for kinds that occur once (charge, fee).
    pub fn find(&self, kind: LedgerKind) -> Option<&LedgerEntry> {
        self.0.iter().find(|entry| entry.kind == kind)
    }

    /// This movement, if it is entered.
    pub fn of(&self, kind: LedgerKind, stripe_id: &str) -> Option<&LedgerEntry> {
        self.0.iter().find(|entry| entry.kind == kind && entry.stripe_id == stripe_id)
    }

    pub(super) fn push(&mut self, entry: LedgerEntry) {
        debug_assert!(self.of(entry.kind, &entry.stripe_id).is_none(), "{} twice", entry.id());
        self.0.push(entry);
    }

    /// As it was after the event of this number.
    pub(super) fn up_to(&self, event: u64) -> Self {
        Self(self.0.iter().filter(|entry| entry.event <= event).cloned().collect())
    }

    fn sum(&self, which: impl Fn(&LedgerEntry) -> bool) -> i64 {
        // Amounts are bounded (`Price::MAX`) and few; saturating keeps a damaged ledger from
        // panicking.
        self.0
            .iter()
            .filter(|entry| which(entry))
            .fold(0, |sum: i64, entry| sum.saturating_add(entry.money.amount))
    }
}
