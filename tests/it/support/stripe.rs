//! Stripe's stand-in as a test uses it: the account's API, the switches of the control API, and its
//! events, signed and delivered by the test itself: when, how often and in whatever order it likes.

use data_encoding::HEXLOWER;
use http::Method;
use ring::hmac;
use serde_json::{Value, json};

use super::client::Answer;
use super::{Client, Cloud, eventually};

/// What the stand-in takes for the account's secret key.
const SECRET_KEY: &str = "sk_test_local";

pub struct Stripe {
    api: Client,
    control: Client,
    endpoint: Client,
    secret: String,
}

/// A `Stripe-Signature` of this body, as of so many seconds since 1970.
pub fn signature(secret: &str, time: i64, body: &[u8]) -> String {
    format!("t={time},v1={}", v1(secret, time, body))
}

/// One `v1` alone.
pub fn v1(secret: &str, time: i64, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    HEXLOWER.encode(hmac::sign(&key, &[format!("{time}.").as_bytes(), body].concat()).as_ref())
}

/// Now, in seconds since 1970.
pub fn now() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a time");
    i64::try_from(now.as_secs()).expect("a time")
}

impl Stripe {
    /// That of this cloud.
    pub fn of(cloud: &Cloud) -> Self {
        Self {
            api: cloud.stripe().bearer(SECRET_KEY),
            control: cloud.stripe(),
            endpoint: cloud.client(),
            secret: cloud.ready.webhook_secret.clone().expect("the stand-in signs"),
        }
    }

    /// What it signs with.
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// A call with the secret key, as someone at the account's dashboard would make it.
    pub async fn call(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.api.form(path, fields).await
    }

    /// An object.
    pub async fn read(&self, path: &str) -> Value {
        self.api.get(path).await.expect(200)
    }

    /// All of a list, newest first.
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

    /// The intents that name this order.
    pub async fn intents_of(&self, order: &str) -> Vec<Value> {
        let mut all = self.all("/v1/payment_intents").await;
        all.retain(|intent| intent["metadata"]["order_id"] == order);
        all
    }

    /// The refunds of an intent.
    pub async fn refunds_of(&self, intent: &str) -> Vec<Value> {
        self.read(&format!("/v1/refunds?limit=100&payment_intent={intent}")).await["data"]
            .as_array()
            .cloned()
            .expect("a list")
    }

    /// The events of an intent, its charges, refunds and disputes, of these types, oldest first.
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

    /// A call of the control API.
    pub async fn control(&self, path: &str, body: Value) -> Value {
        self.control.post(&format!("/_local/{path}"), body).await.expect(200)
    }

    /// What the next calls with this text in their parameters suffer.
    pub async fn fault(&self, fault: &str, path: &str, containing: &str, times: u32) {
        self.control(
            "faults",
            json!({"fault": fault, "method": "POST", "path": path, "containing": containing, "times": times}),
        )
        .await;
    }

    /// A day passes for its idempotency keys.
    pub async fn forget_idempotency_keys(&self) {
        self.control
            .send(Method::DELETE, "/_local/idempotency_keys", "", Vec::new().into())
            .await
            .expect(200);
    }

    /// Posts a body to the webhook endpoint, with this signature.
    pub async fn post(&self, signature: &str, body: &[u8]) -> Answer {
        let endpoint = self.endpoint.with("stripe-signature", signature);
        endpoint
            .send(
                Method::POST,
                "/webhooks/stripe",
                "application/json; charset=utf-8",
                body.to_vec().into(),
            )
            .await
    }

    /// Delivers an event, properly signed, until it is taken.
    pub async fn deliver(&self, event: &Value) {
        let body = event.to_string();
        eventually("an event is taken", async || {
            self.post(&signature(&self.secret, now(), body.as_bytes()), body.as_bytes())
                .await
                .unless_busy()
        })
        .await;
    }
}
