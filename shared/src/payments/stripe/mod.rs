//! [`Payments`] at Stripe, through `async-stripe`.

mod error;
mod objects;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use miniserde::json::Value;
use stripe::{Client, ClientBuilder, IdempotencyKey, RequestStrategy, StripeError, StripeRequest};
use stripe_core::dispute::ListDispute;
use stripe_core::event::ListEvent;
use stripe_core::payment_intent::{
    CancelPaymentIntent, CreatePaymentIntent, CreatePaymentIntentAutomaticPaymentMethods,
    RetrievePaymentIntent,
};
use stripe_core::refund::{CreateRefund, ListRefund};
use stripe_types::RangeQueryTs;

use self::error::{backoff, code, failed, is_missing, is_worth_repeating, spends_key};
use self::objects::{chargeback, intent, refund};
use super::webhook_event::HANDLED;
use super::{Intent, Payments};
use crate::config::{ConfigError, optional, secret};
use crate::domain::ids::PaymentIntentId;
use crate::domain::money::Money;
use crate::domain::order::{Chargeback, Order, Refund};
use crate::error::{Error, Result};

/// How long one attempt may take, how many there are at most, and until when another one may begin.
/// However Stripe fails, a call ends within `PATIENCE + TIMEOUT`: 16 s, of the 25 s that the
/// functions behind the HTTP API have.
const TIMEOUT: Duration = Duration::from_secs(6);
const ATTEMPTS: u32 = 6;
const PATIENCE: Duration = Duration::from_secs(10);

/// The most that one page of a list holds. An order has a handful of refunds.
const PAGE: i64 = 100;

/// Pages of events that are read at most, newest first. A larger backlog is for Stripe to deliver,
/// which it tries for three days.
const MAX_PAGES: usize = 10;

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
        let client = client
            .build()
            .map_err(|e| ConfigError::new("STRIPE_SECRET_KEY or STRIPE_API_URL", e))?;
        Ok(Self { client })
    }

    /// Sends until there is an answer: [`ATTEMPTS`] times at most, and not for longer than
    /// [`PATIENCE`].
    async fn send<T, S, F>(&self, send: S) -> std::result::Result<T, StripeError>
    where
        S: Fn() -> F + Send + Sync,
        F: Future<Output = std::result::Result<T, StripeError>> + Send,
    {
        self.attempts(|_| send()).await
    }

    /// As [`Stripe::send`], under an idempotency key. The strategies of `async-stripe` would make
    /// up a key per call; ours must hold across invocations, so each attempt is one call with the
    /// same key.
    ///
    /// But Stripe keeps what it answered under a key for a day, its own failures too, and refuses
    /// other parameters (as a new version of this code may send). So after one of those the key is
    /// another, for five minutes the same one. That may do a thing twice, and is only for what
    /// can't be harmful twice: an intent that nobody was told of can't be paid, and of a charge no
    /// more goes back than there is left.
    async fn send_once<T, S, F>(&self, key: &str, send: S) -> Result<T>
    where
        S: Fn(RequestStrategy) -> F + Send + Sync,
        F: Future<Output = std::result::Result<T, StripeError>> + Send,
    {
        let usual = idempotent(key)?;
        let fallback = idempotent(&format!("{key}-{}", Timestamp::now().as_second() / 300))?;
        let sent =
            self.attempts(|spent| send(if spent { fallback.clone() } else { usual.clone() })).await;
        sent.map_err(|e| failed(&e))
    }

    /// `send` is told whether the usual key is spent.
    async fn attempts<T, S, F>(&self, send: S) -> std::result::Result<T, StripeError>
    where
        S: Fn(bool) -> F + Send + Sync,
        F: Future<Output = std::result::Result<T, StripeError>> + Send,
    {
        let started = Instant::now();
        let (mut attempt, mut spent) = (1, false);
        loop {
            let wait = backoff(attempt);
            match send(spent).await {
                Err(error)
                    if attempt < ATTEMPTS
                        && started.elapsed() + wait < PATIENCE
                        && is_worth_repeating(&error, spent) =>
                {
                    spent |= spends_key(&error);
                    tokio::time::sleep(wait).await;
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
        let key = order.intent_idempotency_key();
        intent(
            self.send_once(&key, |strategy| {
                request.customize().request_strategy(strategy).send(&self.client)
            })
            .await?,
        )
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
        // Without an idempotency key: canceling twice is canceling once, while a key would have
        // Stripe repeat for a day that the intent was just processing.
        let request = CancelPaymentIntent::new(id.as_str()).expand(vec![EXPANDED.to_owned()]);
        match self.send(|| request.send(&self.client)).await {
            Ok(canceled) => intent(canceled),
            // It is canceled already, or paid.
            Err(e) if code(&e) == Some("payment_intent_unexpected_state") => self
                .intent(id)
                .await?
                .ok_or_else(|| Error::internal(format!("intent {id} is gone"))),
            Err(e) => Err(failed(&e)),
        }
    }

    async fn refund(
        &self,
        intent: &PaymentIntentId,
        amount: Money,
        idempotency_key: &str,
    ) -> Result<Refund> {
        let request = CreateRefund::new().payment_intent(intent.as_str()).amount(amount.amount);
        let send = |strategy| request.customize().request_strategy(strategy).send(&self.client);
        refund(&self.send_once(idempotency_key, send).await?)
    }

    async fn refunds(&self, intent: &PaymentIntentId) -> Result<Vec<Refund>> {
        let request = ListRefund::new().payment_intent(intent.as_str()).limit(PAGE);
        let page = self.send(|| request.send(&self.client)).await.map_err(|e| failed(&e))?;
        page.data.iter().map(refund).collect()
    }

    async fn undelivered_events(&self, since: Timestamp) -> Result<Vec<String>> {
        let mut request = ListEvent::new()
            .types(HANDLED.iter().map(ToString::to_string).collect::<Vec<_>>())
            .created(RangeQueryTs::gte(since.as_second()))
            .delivery_success(false)
            .limit(PAGE);
        let mut found = Vec::new();
        for _ in 0..MAX_PAGES {
            // Not into async-stripe's types: an event has the shape of the endpoint's API version,
            // not of ours.
            let page = self.send(|| request.build().customize::<Value>().send(&self.client)).await;
            let page = page.map_err(|e| failed(&e))?;
            let bodies: Vec<String> = objects(&page).map(miniserde::json::to_string).collect();
            let Some(last) = objects(&page).last().and_then(id) else { break };
            request = request.starting_after(last);
            found.extend(bodies);
        }
        Ok(found)
    }

    async fn chargebacks(&self, intent: &PaymentIntentId) -> Result<Vec<Chargeback>> {
        let request = ListDispute::new().payment_intent(intent.as_str()).limit(PAGE);
        let page = self.send(|| request.send(&self.client)).await.map_err(|e| failed(&e))?;
        page.data.iter().map(chargeback).collect()
    }
}

/// The objects of a page of a list.
fn objects(page: &Value) -> impl Iterator<Item = &Value> {
    let data = match page {
        Value::Object(page) => page.get("data"),
        _ => None,
    };
    let data = match data {
        Some(Value::Array(data)) => data.as_slice(),
        _ => &[],
    };
    data.iter()
}

fn id(object: &Value) -> Option<&str> {
    match object {
        Value::Object(object) => match object.get("id") {
            Some(Value::String(id)) => Some(id),
            _ => None,
        },
        _ => None,
    }
}

fn idempotent(key: &str) -> Result<RequestStrategy> {
    IdempotencyKey::new(key).map(RequestStrategy::Idempotent).map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both would panic on a process that has two providers of cryptography, or none, to choose
    /// from.
    #[test]
    fn the_clients_of_stripe_and_of_aws_build_beside_each_other() {
        let stripe = ClientBuilder::new("sk_test_x").build();
        assert!(stripe.is_ok());
        assert!(crate::aws::http_client().is_ok());
    }

    fn stripe() -> Stripe {
        Stripe { client: ClientBuilder::new("sk_test_x").build().unwrap() }
    }

    /// The keys under which a call is sent that keeps failing like this.
    async fn keys(error: impl Fn() -> StripeError + Send + Sync) -> Vec<String> {
        let sent = std::sync::Mutex::new(Vec::new());
        let send = |strategy: RequestStrategy| {
            sent.lock().unwrap().push(strategy.get_key().unwrap().into_inner());
            std::future::ready(Err::<(), _>(error()))
        };
        stripe().send_once("key", send).await.unwrap_err();
        sent.into_inner().unwrap()
    }

    fn refused(body: &str, status: u16) -> StripeError {
        let e: stripe_shared::Error = miniserde::json::from_str(body).unwrap();
        StripeError::Stripe(e.error, status)
    }

    #[tokio::test]
    async fn a_call_is_sent_a_bounded_number_of_times_and_only_while_it_may_help() {
        let sent = keys(|| StripeError::Timeout).await.len();
        assert!((2..=ATTEMPTS as usize).contains(&sent), "{sent}");
        assert_eq!(keys(|| StripeError::ConfigError("no".into())).await.len(), 1);
        assert_eq!(
            keys(|| refused(r#"{"error": {"type": "invalid_request_error"}}"#, 400)).await.len(),
            1
        );
    }

    #[tokio::test]
    async fn the_key_stays_the_same_until_stripe_has_failed_under_it() {
        assert!(
            keys(|| StripeError::ClientError("reset".into())).await.iter().all(|key| key == "key")
        );
        let sent = keys(|| refused(r#"{"error": {"type": "api_error"}}"#, 500)).await;
        assert_eq!(sent[0], "key");
        assert!(
            sent.len() > 1
                && sent[1..].iter().all(|key| key.starts_with("key-") && *key == sent[1]),
            "{sent:?}"
        );
    }

    /// What Stripe says when the parameters are not those that the key came with before.
    #[tokio::test]
    async fn a_key_that_stripe_knows_for_another_request_is_given_up_once() {
        let sent = keys(|| refused(r#"{"error": {"type": "idempotency_error"}}"#, 400)).await;
        assert_eq!((sent.len(), sent[0].as_str()), (2, "key"));
        assert!(sent[1].starts_with("key-"), "{sent:?}");
    }
}
