//! Implements [`StripeApi`] with `async-stripe`.

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

use self::error::{backoff, code, is_missing, should_retry, spends_key, to_error};
use self::objects::{to_chargeback, to_intent, to_refund};
use super::api::StripeApi;
use super::intent::Intent;
use super::webhook_event::HANDLED;
use crate::config::{ConfigError, optional};
use crate::domain::ids::PaymentIntentId;
use crate::domain::money::Money;
use crate::domain::order::{Chargeback, Order, Refund};
use crate::error::{Error, Result};
use crate::secrets::{CachedSecret, FromSecret, Members, SecretText};

/// The time limit of one attempt.
const TIMEOUT: Duration = Duration::from_secs(6);
/// The most attempts per call.
const ATTEMPTS: u32 = 6;
/// No attempt starts later than this. However Stripe fails, a call ends within
/// `RETRY_WINDOW + TIMEOUT` = 16 s, of the 25 s that the functions behind the HTTP API have.
const RETRY_WINDOW: Duration = Duration::from_secs(10);

/// The most objects that Stripe returns per page. An order has a handful of refunds.
const PAGE_SIZE: i64 = 100;

/// The most pages of events to read, newest first. Stripe itself delivers the rest of a larger
/// backlog: it retries for three days.
const MAX_EVENT_PAGES: usize = 10;

/// The objects that Stripe includes instead of their ids when an intent is read.
const EXPANDED: &str = "latest_charge.balance_transaction";

/// Calls Stripe's API.
pub struct Stripe {
    client: CachedSecret<KeyedClient>,
}

/// A client with an API key.
struct KeyedClient(Client);

impl FromSecret for KeyedClient {
    const VARIABLE: &'static str = "STRIPE_SECRET";

    /// Reads the member `secret_key`. `STRIPE_API_URL` replaces Stripe's URL.
    fn parse(text: &SecretText) -> std::result::Result<Self, String> {
        let members = Members::parse(&text.current)?;
        let mut client = ClientBuilder::new(members.text("secret_key")?).timeout(TIMEOUT);
        if let Some(url) = optional("STRIPE_API_URL") {
            // The client appends paths to it.
            client = client.url(format!("{}/", url.trim_end_matches('/')));
        }
        // The client's own message may quote the key.
        let unusable = "or the variable STRIPE_API_URL makes no client for Stripe";
        client.build().map(Self).map_err(|_| unusable.to_owned())
    }
}

impl Stripe {
    /// Names the secret with the API key; [`Stripe::load`] reads it.
    ///
    /// # Errors
    /// Names the variable that is missing.
    pub fn from_env() -> std::result::Result<Self, ConfigError> {
        Ok(Self { client: CachedSecret::from_env()? })
    }

    /// Reads the API key, while the sandbox initializes.
    ///
    /// # Errors
    /// Those of [`CachedSecret::load`].
    pub async fn load(&self) -> std::result::Result<(), ConfigError> {
        self.client.load().await
    }

    /// Sends a request without an idempotency key, with retries.
    async fn send<T, S, F>(&self, send: S) -> std::result::Result<T, StripeError>
    where
        S: Fn(Client) -> F + Send + Sync,
        F: Future<Output = std::result::Result<T, StripeError>> + Send,
    {
        self.send_with_retries(|client, _| send(client)).await
    }

    /// Sends a request with an idempotency key, with retries. The retry strategies of
    /// `async-stripe` generate a new key per call. Ours must stay the same across invocations, so
    /// each attempt is a separate call with the same key.
    ///
    /// Stripe stores the response to a key for a day, even a server error, and rejects a request
    /// that reuses the key with other parameters (as a new version of this code may). In both cases
    /// we switch to a fallback key, which changes every five minutes. That may repeat the action,
    /// so call this only for actions that do no harm when repeated: a second intent can't be paid,
    /// because nobody gets its secret, and refunds can't exceed the charge.
    async fn send_idempotent<T, S, F>(&self, key: &str, send: S) -> Result<T>
    where
        S: Fn(Client, RequestStrategy) -> F + Send + Sync,
        F: Future<Output = std::result::Result<T, StripeError>> + Send,
    {
        let usual = idempotency_key(key)?;
        let fallback = idempotency_key(&format!("{key}-{}", Timestamp::now().as_second() / 300))?;
        let sent = self
            .send_with_retries(|client, spent| {
                send(client, if spent { fallback.clone() } else { usual.clone() })
            })
            .await;
        sent.map_err(|e| to_error(&e))
    }

    /// Sends at most [`ATTEMPTS`] times within [`RETRY_WINDOW`]. `send` gets a client, and whether
    /// the usual idempotency key is spent. When Stripe refuses our API key, it may have been
    /// rolled: the secret is read again, and the request sent once more at once.
    async fn send_with_retries<T, S, F>(&self, send: S) -> std::result::Result<T, StripeError>
    where
        S: Fn(Client, bool) -> F + Send + Sync,
        F: Future<Output = std::result::Result<T, StripeError>> + Send,
    {
        let started = Instant::now();
        let (mut attempt, mut spent) = (1, false);
        let mut client = self.client.current();
        loop {
            let wait = backoff(attempt);
            match send(client.0.clone(), spent).await {
                Err(StripeError::Stripe(refusal, 401)) => match self.client.read_again().await {
                    Some(rolled) => client = rolled,
                    None => return Err(StripeError::Stripe(refusal, 401)),
                },
                Err(error)
                    if attempt < ATTEMPTS
                        && started.elapsed() + wait < RETRY_WINDOW
                        && should_retry(&error, spent) =>
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

impl StripeApi for Stripe {
    async fn create_intent(&self, order: &Order) -> Result<Intent> {
        let price = order.price;
        let Ok(currency) = price.currency().code().parse::<stripe_types::Currency>();
        let request = CreatePaymentIntent::new(price.amount(), currency)
            .automatic_payment_methods(CreatePaymentIntentAutomaticPaymentMethods::new(true))
            .metadata(HashMap::from([("order_id".to_owned(), order.id.to_string())]));
        let key = order.intent_idempotency_key();
        to_intent(
            self.send_idempotent(&key, |client, strategy| {
                let request = request.customize().request_strategy(strategy);
                async move { request.send(&client).await }
            })
            .await?,
        )
    }

    async fn intent(&self, id: &PaymentIntentId) -> Result<Option<Intent>> {
        let request = RetrievePaymentIntent::new(id.as_str()).expand(vec![EXPANDED.to_owned()]);
        match self.send(|client| send(&request, client)).await {
            Ok(found) => to_intent(found).map(Some),
            Err(e) if is_missing(&e) => Ok(None),
            Err(e) => Err(to_error(&e)),
        }
    }

    async fn cancel_intent(&self, id: &PaymentIntentId) -> Result<Intent> {
        // No idempotency key: canceling is idempotent anyway. And if the intent is processing at
        // the first attempt, Stripe would repeat that response to the same key for a day.
        let request = CancelPaymentIntent::new(id.as_str()).expand(vec![EXPANDED.to_owned()]);
        match self.send(|client| send(&request, client)).await {
            Ok(canceled) => to_intent(canceled),
            // It is already canceled or paid.
            Err(e) if code(&e) == Some("payment_intent_unexpected_state") => self
                .intent(id)
                .await?
                .ok_or_else(|| Error::internal(format!("intent {id} no longer exists"))),
            Err(e) => Err(to_error(&e)),
        }
    }

    async fn refund(
        &self,
        intent: &PaymentIntentId,
        amount: Money,
        idempotency_key: &str,
    ) -> Result<Refund> {
        let request = CreateRefund::new().payment_intent(intent.as_str()).amount(amount.amount);
        let send = |client, strategy| {
            let request = request.customize().request_strategy(strategy);
            async move { request.send(&client).await }
        };
        to_refund(&self.send_idempotent(idempotency_key, send).await?)
    }

    async fn refunds(&self, intent: &PaymentIntentId) -> Result<Vec<Refund>> {
        let request = ListRefund::new().payment_intent(intent.as_str()).limit(PAGE_SIZE);
        let page = self.send(|client| send(&request, client)).await.map_err(|e| to_error(&e))?;
        page.data.iter().map(to_refund).collect()
    }

    async fn undelivered_events(&self, since: Timestamp) -> Result<Vec<String>> {
        let mut request = ListEvent::new()
            .types(HANDLED.iter().map(ToString::to_string).collect::<Vec<_>>())
            .created(RangeQueryTs::gte(since.as_second()))
            .delivery_success(false)
            .limit(PAGE_SIZE);
        let mut found = Vec::new();
        for _ in 0..MAX_EVENT_PAGES {
            // Events keep the API version that they were created with, whatever version
            // async-stripe asks for, so they are not parsed into its types.
            let send = |client| {
                let request = request.build().customize::<Value>();
                async move { request.send(&client).await }
            };
            let page = self.send(send).await;
            let page = page.map_err(|e| to_error(&e))?;
            found.extend(objects(&page).map(miniserde::json::to_string));
            match objects(&page).last().and_then(object_id) {
                Some(last) if has_more(&page) => request = request.starting_after(last),
                _ => break,
            }
        }
        Ok(found)
    }

    async fn chargebacks(&self, intent: &PaymentIntentId) -> Result<Vec<Chargeback>> {
        let request = ListDispute::new().payment_intent(intent.as_str()).limit(PAGE_SIZE);
        let page = self.send(|client| send(&request, client)).await.map_err(|e| to_error(&e))?;
        page.data.iter().map(to_chargeback).collect()
    }
}

async fn send<R>(request: &R, client: Client) -> std::result::Result<R::Output, StripeError>
where
    R: StripeRequest + Sync,
    R::Output: miniserde::Deserialize,
{
    request.customize().send(&client).await
}

/// Returns the objects on a page of a list.
fn objects(page: &Value) -> impl Iterator<Item = &Value> {
    let data = match member(page, "data") {
        Some(Value::Array(data)) => data.as_slice(),
        _ => &[],
    };
    data.iter()
}

/// Whether another page follows.
fn has_more(page: &Value) -> bool {
    matches!(member(page, "has_more"), Some(Value::Bool(true)))
}

fn object_id(object: &Value) -> Option<&str> {
    match member(object, "id") {
        Some(Value::String(id)) => Some(id),
        _ => None,
    }
}

fn member<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    match object {
        Value::Object(members) => members.get(name),
        _ => None,
    }
}

fn idempotency_key(key: &str) -> Result<RequestStrategy> {
    IdempotencyKey::new(key).map(RequestStrategy::Idempotent).map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::error::tests::stripe_error;
    use super::*;

    /// Either client would panic if the process had no TLS crypto provider, or more than one.
    #[test]
    fn stripe_and_aws_clients_can_be_built_in_one_process() {
        let stripe = ClientBuilder::new("sk_test_x").build();
        assert!(stripe.is_ok());
        assert!(crate::aws::http_client().is_ok());
    }

    fn stripe() -> Stripe {
        let client = ClientBuilder::new("sk_test_x").build().unwrap();
        Stripe { client: CachedSecret::fixed(KeyedClient(client)) }
    }

    /// Returns the idempotency keys of all attempts of a call that keeps failing with this error.
    async fn keys(error: impl Fn() -> StripeError + Send + Sync) -> Vec<String> {
        let sent = std::sync::Mutex::new(Vec::new());
        let send = |_, strategy: RequestStrategy| {
            sent.lock().unwrap().push(strategy.get_key().unwrap().into_inner());
            std::future::ready(Err::<(), _>(error()))
        };
        stripe().send_idempotent("key", send).await.unwrap_err();
        sent.into_inner().unwrap()
    }

    #[tokio::test]
    async fn a_call_is_retried_a_limited_number_of_times_and_only_if_that_may_help() {
        let sent = keys(|| StripeError::Timeout).await.len();
        assert_eq!(sent, ATTEMPTS as usize);
        assert_eq!(keys(|| StripeError::ConfigError("no".into())).await.len(), 1);
        assert_eq!(
            keys(|| stripe_error(400, r#"{"error": {"type": "invalid_request_error"}}"#))
                .await
                .len(),
            1
        );
    }

    #[tokio::test]
    async fn the_key_stays_the_same_until_stripe_has_a_server_error() {
        assert!(
            keys(|| StripeError::ClientError("reset".into())).await.iter().all(|key| key == "key")
        );
        let sent = keys(|| stripe_error(500, r#"{"error": {"type": "api_error"}}"#)).await;
        assert_eq!(sent[0], "key");
        assert!(
            sent.len() > 1
                && sent[1..].iter().all(|key| key.starts_with("key-") && *key == sent[1]),
            "{sent:?}"
        );
    }

    /// Stripe returns this error if the key was first used with other parameters.
    #[tokio::test]
    async fn a_key_used_for_another_request_is_replaced_once() {
        let sent = keys(|| stripe_error(400, r#"{"error": {"type": "idempotency_error"}}"#)).await;
        assert_eq!((sent.len(), sent[0].as_str()), (2, "key"));
        assert!(sent[1].starts_with("key-"), "{sent:?}");
    }
}
