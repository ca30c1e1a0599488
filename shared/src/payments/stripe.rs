//! [`Payments`] at Stripe, through `async-stripe`.

use std::collections::HashMap;
use std::time::Duration;

use stripe::{Client, ClientBuilder, IdempotencyKey, RequestStrategy, StripeError, StripeRequest};
use stripe_core::dispute::ListDispute;
use stripe_core::payment_intent::{
    CancelPaymentIntent, CreatePaymentIntent, CreatePaymentIntentAutomaticPaymentMethods, RetrievePaymentIntent,
};
use stripe_core::refund::{CreateRefund, ListRefund};
use stripe_shared::{DisputeStatus, PaymentIntent, PaymentIntentStatus};
use stripe_types::Expandable;

use super::error::{backoff, code, failed, is_missing, is_transient};
use super::{Charge, Intent, IntentStatus, Payments};
use crate::config::{ConfigError, optional, secret};
use crate::domain::ids::{ChargeId, ChargebackId, PaymentIntentId, RefundId};
use crate::domain::money::{Currency, Money};
use crate::domain::order::{Chargeback, ChargebackState, Order, Refund, RefundStatus};
use crate::error::{Error, Result};

/// One attempt, and how many: together with what is waited between them less than API Gateway's 30 s.
const TIMEOUT: Duration = Duration::from_secs(6);
const ATTEMPTS: u32 = 3;

/// The most that one page of a list holds. An order has a handful of refunds.
const PAGE: i64 = 100;

/// What is put in the place of ids when an intent is read.
const EXPANDED: &str = "latest_charge.balance_transaction";

/// Stripe.
#[derive(Clone)]
pub struct Stripe {
    client: Client,
}

impl Stripe {
    /// From `STRIPE_SECRET_KEY`, and `STRIPE_API_URL` where Stripe is elsewhere.
    pub fn from_env() -> std::result::Result<Self, ConfigError> {
        let key = secret("STRIPE_SECRET_KEY")?;
        let mut client = ClientBuilder::new(key.expose()).timeout(TIMEOUT);
        if let Some(url) = optional("STRIPE_API_URL") {
            // Paths are appended to it.
            client = client.url(format!("{}/", url.trim_end_matches('/')));
        }
        let client = client.build().map_err(|e| ConfigError::new("STRIPE_SECRET_KEY or STRIPE_API_URL", e))?;
        Ok(Self { client })
    }

    /// Sends until there is an answer, [`ATTEMPTS`] times at most. Its own strategies would make up a key per call; ours must hold
    /// across invocations, so each attempt is one call with the same key.
    async fn send<T, S, F>(&self, send: S) -> std::result::Result<T, StripeError>
    where
        S: Fn() -> F + Send,
        F: Future<Output = std::result::Result<T, StripeError>> + Send,
    {
        let mut attempt = 1;
        loop {
            match send().await {
                Err(error) if attempt < ATTEMPTS && is_transient(&error) => {
                    tokio::time::sleep(backoff(attempt)).await;
                    attempt += 1;
                }
                done => return done,
            }
        }
    }
}

impl Payments for Stripe {
    async fn create_intent(&self, order: &Order) -> Result<Intent> {
        let price = order.price;
        let Ok(currency) = price.currency().code().parse::<stripe_types::Currency>();
        let request = CreatePaymentIntent::new(price.amount(), currency)
            .automatic_payment_methods(CreatePaymentIntentAutomaticPaymentMethods::new(true))
            .metadata(HashMap::from([("order_id".to_owned(), order.id.to_string())]));
        let strategy = idempotent(&order.intent_idempotency_key())?;
        let created = self.send(|| request.customize().request_strategy(strategy.clone()).send(&self.client)).await;
        intent(created.map_err(|e| failed(&e))?)
    }

    async fn intent(&self, id: &PaymentIntentId) -> Result<Option<Intent>> {
        let request = RetrievePaymentIntent::new(id.as_str()).expand(vec![EXPANDED.to_owned()]);
        match self.send(|| request.send(&self.client)).await {
            Ok(found) => intent(found).map(Some),
            Err(e) if is_missing(&e) => Ok(None),
            Err(e) => Err(failed(&e)),
        }
    }

    async fn cancel_intent(&self, id: &PaymentIntentId) -> Result<Intent> {
        // Without an idempotency key: canceling twice is canceling once, while a key would have Stripe repeat for a day that the intent was
        // just processing.
        let request = CancelPaymentIntent::new(id.as_str()).expand(vec![EXPANDED.to_owned()]);
        match self.send(|| request.send(&self.client)).await {
            Ok(canceled) => intent(canceled),
            // It is canceled already, or paid.
            Err(e) if code(&e) == Some("payment_intent_unexpected_state") => {
                self.intent(id).await?.ok_or_else(|| Error::internal(format!("intent {id} is gone")))
            }
            Err(e) => Err(failed(&e)),
        }
    }

    async fn refund(&self, intent: &PaymentIntentId, amount: Money, idempotency_key: &str) -> Result<Refund> {
        let request = CreateRefund::new().payment_intent(intent.as_str()).amount(amount.amount);
        let strategy = idempotent(idempotency_key)?;
        let made = self.send(|| request.customize().request_strategy(strategy.clone()).send(&self.client)).await;
        refund(&made.map_err(|e| failed(&e))?)
    }

    async fn refunds(&self, intent: &PaymentIntentId) -> Result<Vec<Refund>> {
        let request = ListRefund::new().payment_intent(intent.as_str()).limit(PAGE);
        let page = self.send(|| request.send(&self.client)).await.map_err(|e| failed(&e))?;
        page.data.iter().map(refund).collect()
    }

    async fn chargebacks(&self, intent: &PaymentIntentId) -> Result<Vec<Chargeback>> {
        let request = ListDispute::new().payment_intent(intent.as_str()).limit(PAGE);
        let page = self.send(|| request.send(&self.client)).await.map_err(|e| failed(&e))?;
        page.data.iter().map(chargeback).collect()
    }
}

fn idempotent(key: &str) -> Result<RequestStrategy> {
    IdempotencyKey::new(key).map(RequestStrategy::Idempotent).map_err(Error::internal)
}

fn intent(from: PaymentIntent) -> Result<Intent> {
    let charge = from.latest_charge.map(charge).transpose()?;
    Ok(Intent {
        id: PaymentIntentId::parse(from.id.as_str()).map_err(Error::internal)?,
        status: match from.status {
            PaymentIntentStatus::RequiresPaymentMethod => IntentStatus::RequiresPaymentMethod,
            PaymentIntentStatus::RequiresConfirmation => IntentStatus::RequiresConfirmation,
            PaymentIntentStatus::RequiresAction => IntentStatus::RequiresAction,
            PaymentIntentStatus::Processing => IntentStatus::Processing,
            PaymentIntentStatus::RequiresCapture => IntentStatus::RequiresCapture,
            PaymentIntentStatus::Succeeded => IntentStatus::Succeeded,
            PaymentIntentStatus::Canceled => IntentStatus::Canceled,
            other => IntentStatus::Other(other.as_str().to_owned()),
        },
        amount: money(from.amount, &from.currency),
        amount_received: from.amount_received,
        order_id: from.metadata.get("order_id").cloned(),
        client_secret: from.client_secret.map(crate::config::Secret::new),
        declined: from.last_payment_error.is_some(),
        charge,
    })
}

fn charge(from: Expandable<stripe_shared::Charge>) -> Result<Charge> {
    let id = ChargeId::parse(from.id().as_str()).map_err(Error::internal)?;
    let Some(from) = from.into_object() else {
        return Ok(Charge { id, fee: None, amount_refunded: 0, disputed: false });
    };
    let balance = from.balance_transaction.and_then(Expandable::into_object);
    let fee = balance.and_then(|balance| money(balance.fee, &balance.currency));
    Ok(Charge { id, fee, amount_refunded: from.amount_refunded, disputed: from.disputed })
}

fn refund(from: &stripe_shared::Refund) -> Result<Refund> {
    // A status that Stripe adds one day is one that is not final.
    let status = match from.status.as_deref() {
        Some("succeeded") => RefundStatus::Succeeded,
        Some("failed" | "canceled") => RefundStatus::Failed,
        _ => RefundStatus::Pending,
    };
    let id = RefundId::parse(from.id.as_str()).map_err(Error::internal)?;
    Ok(Refund { id, amount: known(from.amount, &from.currency)?, status })
}

fn chargeback(from: &stripe_shared::Dispute) -> Result<Chargeback> {
    let state = match &from.status {
        DisputeStatus::NeedsResponse | DisputeStatus::UnderReview => ChargebackState::Open,
        DisputeStatus::Won | DisputeStatus::WarningClosed | DisputeStatus::Prevented => ChargebackState::Won,
        DisputeStatus::Lost => ChargebackState::Lost,
        // Warnings, and what Stripe adds one day: something for an admin to look at, of which no money has moved for all we know.
        _ => ChargebackState::Inquiry,
    };
    let id = ChargebackId::parse(from.id.as_str()).map_err(Error::internal)?;
    Ok(Chargeback { id, amount: known(from.amount, &from.currency)?, state })
}

fn money(amount: i64, currency: &stripe_types::Currency) -> Option<Money> {
    Currency::parse(&currency.to_string()).ok().map(|currency| Money::new(amount, currency))
}

fn known(amount: i64, currency: &stripe_types::Currency) -> Result<Money> {
    money(amount, currency)
        .ok_or_else(|| Error::internal(format!("Stripe moved money in {currency}, in which no price is")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both would panic on a process that has two providers of cryptography, or none, to choose from.
    #[test]
    fn the_clients_of_stripe_and_of_aws_build_beside_each_other() {
        let stripe = ClientBuilder::new("sk_test_x").build();
        assert!(stripe.is_ok());
        assert!(crate::aws::http_client().is_ok());
    }

    #[tokio::test]
    async fn a_call_is_sent_a_bounded_number_of_times_and_only_while_it_may_help() {
        let stripe = Stripe { client: ClientBuilder::new("sk_test_x").build().unwrap() };
        let times = |error: fn() -> StripeError| {
            let sent = std::sync::atomic::AtomicU32::new(0);
            let stripe = stripe.clone();
            async move {
                let send = || {
                    sent.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    std::future::ready(Err::<(), _>(error()))
                };
                assert!(stripe.send(send).await.is_err());
                sent.into_inner()
            }
        };
        assert_eq!(times(|| StripeError::Timeout).await, ATTEMPTS);
        assert_eq!(times(|| StripeError::ConfigError("no".into())).await, 1);
    }
}
