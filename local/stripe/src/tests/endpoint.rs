//! A webhook endpoint that records webhooks, and responds with the statuses that the test sets.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use bytes::Bytes;
use data_encoding::HEXLOWER;
use ring::hmac;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::Notify;

use super::TIMEOUT;

pub(super) const SECRET: &str = "whsec_local_test";

/// A webhook as the endpoint received it.
#[derive(Debug, Clone)]
pub(super) struct Delivery {
    pub(super) body: String,
    pub(super) signature: String,
    pub(super) event: Value,
}

impl Delivery {
    pub(super) fn kind(&self) -> &str {
        self.event["type"].as_str().unwrap()
    }

    pub(super) fn id(&self) -> &str {
        self.event["id"].as_str().unwrap()
    }

    /// Returns how many `v1` signatures in the header were made with `secret`.
    pub(super) fn signatures_by(&self, secret: &str) -> usize {
        let parts: Vec<_> =
            self.signature.split(',').filter_map(|part| part.split_once('=')).collect();
        let timestamp = parts.iter().find(|(name, _)| *name == "t").unwrap().1;
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let signed = format!("{timestamp}.{}", self.body);
        let is_valid = |hex: &str| {
            hmac::verify(&key, signed.as_bytes(), &HEXLOWER.decode(hex.as_bytes()).unwrap()).is_ok()
        };
        parts.iter().filter(|(name, value)| *name == "v1" && is_valid(value)).count()
    }
}

#[derive(Default)]
struct Received {
    deliveries: Mutex<Vec<Delivery>>,
    /// The statuses of the next responses. When none is left, 200.
    answers: Mutex<VecDeque<u16>>,
    changed: Notify,
}

/// The endpoint. It runs as long as the runtime of its test.
#[derive(Clone)]
pub(super) struct Endpoint {
    pub(super) url: String,
    received: Arc<Received>,
}

impl Endpoint {
    pub(super) async fn start() -> Self {
        let received = Arc::new(Received::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/webhooks/stripe", listener.local_addr().unwrap());
        let router = Router::new()
            .route("/webhooks/stripe", post(receive))
            .with_state(Arc::clone(&received));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, received }
    }

    /// Sets the statuses of the next responses.
    pub(super) fn answer_with(&self, statuses: &[u16]) {
        self.received.answers.lock().unwrap().extend(statuses);
    }

    /// Returns all deliveries so far.
    pub(super) fn deliveries(&self) -> Vec<Delivery> {
        self.received.deliveries.lock().unwrap().clone()
    }

    /// Returns the event types of all deliveries so far.
    pub(super) fn kinds(&self) -> Vec<String> {
        self.deliveries().iter().map(|delivery| delivery.kind().to_owned()).collect()
    }

    /// Waits until there are `count` deliveries, and returns all.
    pub(super) async fn wait_for(&self, count: usize) -> Vec<Delivery> {
        let enough = async {
            loop {
                let changed = self.received.changed.notified();
                let deliveries = self.deliveries();
                if deliveries.len() >= count {
                    return deliveries;
                }
                changed.await;
            }
        };
        tokio::time::timeout(TIMEOUT, enough)
            .await
            .unwrap_or_else(|_| panic!("not {count} deliveries, only {:?}", self.kinds()))
    }
}

async fn receive(
    State(received): State<Arc<Received>>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, &'static str) {
    let body = String::from_utf8(body.to_vec()).unwrap();
    let delivery = Delivery {
        signature: headers["stripe-signature"].to_str().unwrap().to_owned(),
        event: serde_json::from_str(&body).unwrap_or(Value::Null),
        body,
    };
    received.deliveries.lock().unwrap().push(delivery);
    received.changed.notify_waiters();
    let status = received.answers.lock().unwrap().pop_front().unwrap_or(200);
    (StatusCode::from_u16(status).unwrap(), "seen")
}
