//! The calls that we make to Stripe.

use std::future::Future;

use jiff::Timestamp;

use super::intent::Intent;
use crate::domain::ids::PaymentIntentId;
use crate::domain::money::Money;
use crate::domain::order::{Chargeback, Order, Refund};
use crate::error::Result;

/// The calls that we make to Stripe, in our own types.
///
/// Every call that creates something has an idempotency key derived from the order, so it can be
/// repeated and takes effect once; canceling is idempotent by itself
/// (<https://docs.stripe.com/api/idempotent_requests>).
///
/// # Errors
/// All calls fail with:
///
/// - `card_declined` (402), with `decline_code`, if the card was declined
/// - `payments_unavailable` (503) if Stripe is down, slow or rate-limits us
/// - an internal error if Stripe rejects the request for any other reason, which means a bug here
pub trait StripeApi: Send + Sync {
    /// Creates the order's payment intent, or returns the one that an earlier call created. Amount,
    /// currency and idempotency key are derived from the order alone.
    fn create_intent(&self, order: &Order) -> impl Future<Output = Result<Intent>> + Send;

    /// Reads an intent. Returns `None` if it doesn't exist or belongs to another Stripe account.
    fn intent(&self, id: &PaymentIntentId) -> impl Future<Output = Result<Option<Intent>>> + Send;

    /// Cancels an intent and returns it as it is afterwards: canceled, unless it succeeded or
    /// started processing first.
    fn cancel_intent(&self, id: &PaymentIntentId) -> impl Future<Output = Result<Intent>> + Send;

    /// Refunds a part of the charge.
    fn refund(
        &self,
        intent: &PaymentIntentId,
        amount: Money,
        idempotency_key: &str,
    ) -> impl Future<Output = Result<Refund>> + Send;

    /// Lists all refunds of an intent, including those made in the Stripe dashboard.
    fn refunds(&self, intent: &PaymentIntentId)
    -> impl Future<Output = Result<Vec<Refund>>> + Send;

    /// Lists the payment events created at `since` or later that Stripe has failed to deliver to
    /// us, each as the body that the webhook would have received.
    fn undelivered_events(
        &self,
        since: Timestamp,
    ) -> impl Future<Output = Result<Vec<String>>> + Send;

    /// Lists all disputes over an intent's charge.
    fn chargebacks(
        &self,
        intent: &PaymentIntentId,
    ) -> impl Future<Output = Result<Vec<Chargeback>>> + Send;
}
