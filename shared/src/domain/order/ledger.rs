//! The money of one order, as append-only entries.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::money::{Currency, Money};
use crate::domain::string_enum::string_enum;

string_enum! {
    /// Why money moved.
    LedgerKind {
        /// The client paid (positive).
        Charge = "charge",
        /// Money went back to the client (negative).
        Refund = "refund",
        /// A refund failed after Stripe had reported its success, so the money came back
        /// (positive).
        RefundReversal = "refund_reversal",
        /// The client's bank withdrew money (negative).
        Chargeback = "chargeback",
        /// The marketplace won a chargeback, so the money came back (positive).
        ChargebackReversal = "chargeback_reversal",
        /// Stripe's fee for a charge (negative). The marketplace bears it, not the client.
        Fee = "fee",
    }
}

/// One movement of money. A ledger has at most one entry for a kind and a Stripe id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// The number of the event in the order's history that the entry belongs to.
    pub event: u64,
    /// Why the money moved.
    pub kind: LedgerKind,
    /// The amount: positive for money that came in, negative for money that went out.
    pub money: Money,
    /// The id of the charge, refund or dispute at Stripe.
    pub stripe_id: String,
    /// When the entry was added.
    pub at: Timestamp,
}

impl LedgerEntry {
    /// Returns an id that is unique within the order: `refund:re_123`.
    pub fn id(&self) -> String {
        format!("{}:{}", self.kind.as_str(), self.stripe_id)
    }
}

/// The entries of one order, oldest first. Only Stripe's reports add entries
/// (`Order::apply_payment_fact`), and entries never change.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ledger(Vec<LedgerEntry>);

impl Ledger {
    /// Returns the entries, oldest first.
    pub fn entries(&self) -> &[LedgerEntry] {
        &self.0
    }

    /// Returns how much of the client's money the order holds, in minor units of the order's
    /// currency. Fees do not count. It is zero before the payment and after a full refund, and
    /// negative only if the client's bank withdrew more than the order held.
    pub fn balance(&self) -> i64 {
        self.sum(|entry| entry.kind != LedgerKind::Fee)
    }

    /// Returns how much was refunded to the client, as a positive number.
    pub fn refunded(&self) -> i64 {
        -self.sum(|entry| matches!(entry.kind, LedgerKind::Refund | LedgerKind::RefundReversal))
    }

    /// Returns Stripe's fees in this currency, as a positive number. A fee is in the currency of
    /// the Stripe account, which can differ from the order's.
    pub fn fees(&self, currency: Currency) -> i64 {
        -self.sum(|entry| entry.kind == LedgerKind::Fee && entry.money.currency == currency)
    }

    /// Returns the first entry of this kind. Charges and fees occur only once.
    pub fn first(&self, kind: LedgerKind) -> Option<&LedgerEntry> {
        self.0.iter().find(|entry| entry.kind == kind)
    }

    /// Returns the entry of this kind and Stripe id.
    pub fn entry(&self, kind: LedgerKind, stripe_id: &str) -> Option<&LedgerEntry> {
        self.0.iter().find(|entry| entry.kind == kind && entry.stripe_id == stripe_id)
    }

    pub(super) fn push(&mut self, entry: LedgerEntry) {
        debug_assert!(self.entry(entry.kind, &entry.stripe_id).is_none(), "{} twice", entry.id());
        self.0.push(entry);
    }

    /// Returns the ledger as it was after the event with this number.
    pub(super) fn up_to(&self, event: u64) -> Self {
        Self(self.0.iter().filter(|entry| entry.event <= event).cloned().collect())
    }

    fn sum(&self, counts: impl Fn(&LedgerEntry) -> bool) -> i64 {
        // Amounts are few and bounded (`Price::MAX`). Saturating addition keeps a corrupt ledger
        // from causing a panic.
        self.0
            .iter()
            .filter(|entry| counts(entry))
            .fold(0, |sum: i64, entry| sum.saturating_add(entry.money.amount))
    }
}
