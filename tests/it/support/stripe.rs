//! A client of the Stripe stand-in: of its API, of its control API, and for events that tests sign
//! and deliver themselves, at any time, any number of times and in any order.

use data_encoding::HEXLOWER;
use http::Method;
use ring::hmac;
use serde_json::{Value, json};

use super::client::Response;
use super::{Client, Cloud, eventually};

/// The secret key that the stand-in accepts.
const SECRET_KEY: &str = "sk_test_local";

pub struct Stripe {
    api: Client,
    control: Client,
    endpoint: Client,
    secret: String,
}

/// Returns the `Stripe-Signature` header for a body at a time, in seconds since 1970.
pub fn signature(secret: &str, time: i64, body: &[u8]) -> String {
    format!("t={time},v1={}", v1(secret, time, body))
}

/// Returns the `v1` signature without the rest of the header.
pub fn v1(secret: &str, time: i64, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    HEXLOWER.encode(hmac::sign(&key, &[format!("{time}.").as_bytes(), body].concat()).as_ref())
}

/// Returns the current time in seconds since 1970.
pub fn now() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a time");
    i64::try_from(now.as_secs()).expect("a time")
}

impl Stripe {
    /// Returns a client of this cloud's stand-in.
    pub fn of(cloud: &Cloud) -> Self {
        Self {
            api: cloud.stripe().bearer(SECRET_KEY),
            control: cloud.stripe(),
            endpoint: cloud.client(),
            secret: cloud.ready.webhook_secret.clone().expect("the stand-in signs"),
        }
    }

    /// Returns the webhook secret.
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// Calls the API with the secret key, as Stripe's dashboard does.
    pub async fn call(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        self.api.form(path, fields).await
    }

    /// Reads an object.
    pub async fn read(&self, path: &str) -> Value {
        self.api.get(path).await.expect_status(200)
    }

    /// Returns all objects of a list, newest first.
    pub async fn all(&self, list: &str) -> Vec<Value> {
        let (mut found, mut after) = (Vec::<Value>::new(), String::new());
        loop {
            let page = self.read(&format!("{list}?limit=100{after}")).await;
            found.extend(page["data"].as_array().expect("a list").iter().cloned());
            match found.last().filter(|_| page["has_more"] == true) {
                Some(last) => {
                    after = format!("&starting_after={}", last["id"].as_str().expect("an id"))
                }
                None => return found,
            }
        }
    }

    /// Returns the intents with this order in their metadata.
    pub async fn intents_of(&self, order: &str) -> Vec<Value> {
        let mut all = self.all("/v1/payment_intents").await;
        all.retain(|intent| intent["metadata"]["order_id"] == order);
        all
    }

    /// Returns the refunds of an intent.
    pub async fn refunds_of(&self, intent: &str) -> Vec<Value> {
        self.read(&format!("/v1/refunds?limit=100&payment_intent={intent}")).await["data"]
            .as_array()
            .cloned()
            .expect("a list")
    }

    /// Returns the events of these types about an intent and its charges, refunds and disputes,
    /// oldest first.
    pub async fn events_of(&self, intent: &str, types: &[&str]) -> Vec<Value> {
        let mut all = self.all("/v1/events").await;
        let is_of = |event: &Value| {
            let object = &event["data"]["object"];
            object["id"] == intent || object["payment_intent"] == intent
        };
        all.retain(|event| is_of(event) && types.iter().any(|wanted| event["type"] == *wanted));
        all.reverse();
        all
    }

    /// Calls the control API.
    pub async fn control(&self, path: &str, body: Value) -> Value {
        self.control.post(&format!("/_local/{path}"), body).await.expect_status(200)
    }

    /// Injects a fault into the next `times` POST requests to `path` whose parameters contain the
    /// text `containing`.
    pub async fn fault(&self, fault: &str, path: &str, containing: &str, times: u32) {
        self.control(
            "faults",
            json!({
                "fault": fault, "method": "POST", "path": path, "containing": containing,
                "times": times,
            }),
        )
        .await;
    }

    /// Makes the stand-in forget its idempotency keys, as Stripe does after a day.
    pub async fn forget_idempotency_keys(&self) {
        self.control
            .send(Method::DELETE, "/_local/idempotency_keys", "", Vec::new().into())
            .await
            .expect_status(200);
    }

    /// Posts a body to the webhook endpoint with this signature.
    pub async fn post(&self, signature: &str, body: &[u8]) -> Response {
        let endpoint = self.endpoint.with_header("stripe-signature", signature);
        endpoint
            .send(
                Method::POST,
                "/webhooks/stripe",
                "application/json; charset=utf-8",
                body.to_vec().into(),
            )
            .await
    }

    /// Signs an event and delivers it until the endpoint accepts it.
    pub async fn deliver(&self, event: &Value) {
        let body = event.to_string();
        eventually("an event is accepted", async || {
            self.post(&signature(&self.secret, now(), body.as_bytes()), body.as_bytes())
                .await
                .ok_unless_unavailable()
        })
        .await;
    }
}
