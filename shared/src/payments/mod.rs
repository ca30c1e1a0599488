//! Stripe, behind the one trait that a test may replace.
//!
//! Nothing here believes what a webhook says: an event only tells which payment to ask about
//! ([`webhook_event`]). What Stripe answers ([`Payment`]) becomes the facts that move an order,
//! however often and in whatever order one asks.

mod intent;
mod payment;
pub mod signature;
mod stripe;
pub mod webhook_event;

use std::future::Future;

use jiff::Timestamp;

pub use intent::{Charge, Intent, IntentStatus};
pub use payment::Payment;
pub use stripe::Stripe;

use crate::domain::ids::PaymentIntentId;
use crate::domain::money::Money;
use crate::domain::order::{Chargeback, Order, Refund};
use crate::error::Result;

/// What we ask of Stripe, in our own types. Every call that changes something carries an
/// idempotency key that is derived from the order, so that it can be repeated, by anybody, with the
/// effect of once (<https://docs.stripe.com/api/idempotent_requests>).
///
/// # Errors
/// `card_declined` (402, with `decline_code`), `payments_unavailable` (503) when Stripe is down,
/// slow or limits us, `internal` for what it refuses otherwise: then the request was wrong.
pub trait Payments: Send + Sync {
    /// Makes the order's intent, or returns the one that an earlier call made: amount, currency and
    /// idempotency key come from the order alone.
    fn create_intent(&self, order: &Order) -> impl Future<Output = Result<Intent>> + Send;

    /// An intent as it is now; `None` when there is no such intent (or it is another account's).
    fn intent(&self, id: &PaymentIntentId) -> impl Future<Output = Result<Option<Intent>>> + Send;

    /// Cancels an intent, and returns it as it is afterwards: canceled, or succeeded or processing
    /// if that was faster.
    fn cancel_intent(&self, id: &PaymentIntentId) -> impl Future<Output = Result<Intent>> + Send;

    /// Gives back a part of what was charged.
    fn refund(
        &self,
        intent: &PaymentIntentId,
        amount: Money,
        idempotency_key: &str,
    ) -> impl Future<Output = Result<Refund>> + Send;

    /// All refunds of an intent, whoever made them.
    fn refunds(&self, intent: &PaymentIntentId)
    -> impl Future<Output = Result<Vec<Refund>>> + Send;

    /// The events since then that concern payments and whose delivery to us has failed so far, each
    /// as the body that would have come.
    fn undelivered_events(
        &self,
        since: Timestamp,
    ) -> impl Future<Output = Result<Vec<String>>> + Send;

    /// All disputes over an intent's charge.
    fn chargebacks(
        &self,
        intent: &PaymentIntentId,
    ) -> impl Future<Output = Result<Vec<Chargeback>>> + Send;
}
