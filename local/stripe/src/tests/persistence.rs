//! Tests of the data file: a restart loses nothing.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{Sandbox, TIMEOUT};
use crate::{Log, Options, ids, start};

/// A directory for one test, which is removed at the end of the test.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        Self(std::env::temp_dir().join(format!("stripe-{}", ids::random(12))))
    }

    fn journal(&self) -> PathBuf {
        self.0.join("stripe.jsonl")
    }

    async fn sandbox(&self) -> Sandbox {
        Sandbox::with(|options| options.data_file = Some(self.journal())).await
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

#[tokio::test]
async fn objects_events_and_idempotency_keys_survive_a_restart() {
    let directory = Directory::new();
    let sandbox = directory.sandbox().await;
    let created = sandbox
        .keyed("k", "/v1/payment_intents", "amount=2000&currency=usd&metadata[order]=1")
        .await;
    let confirm = format!("/v1/payment_intents/{}/confirm", created.id());
    let paid = sandbox.post(&confirm, "payment_method=pm_card_visa&expand[]=latest_charge").await;
    let refund =
        sandbox.post("/v1/refunds", &format!("payment_intent={}&amount=5", created.id())).await;
    let dispute = sandbox.control("disputes", json!({ "payment_intent": created.id() })).await;
    let events = sandbox.events().await;
    sandbox.endpoint.wait_for(events.len()).await;
    sandbox.stop().await;

    let sandbox = directory.sandbox().await;
    let again = sandbox.get(&format!("/v1/payment_intents/{}", created.id())).await.json;
    assert_eq!(
        (&again["status"], &again["metadata"]),
        (&json!("succeeded"), &json!({ "order": "1" }))
    );
    assert_eq!(again["latest_charge"], paid.json["latest_charge"]["id"]);
    assert_eq!(sandbox.get(&format!("/v1/refunds/{}", refund.id())).await.json, refund.json);
    assert_eq!(
        sandbox.get(&format!("/v1/disputes/{}", dispute["id"].as_str().unwrap())).await.json,
        dispute
    );
    assert_eq!(sandbox.events().await, events);
    let replayed = sandbox
        .keyed("k", "/v1/payment_intents", "amount=2000&currency=usd&metadata[order]=1")
        .await;
    assert_eq!(
        (replayed.text, replayed.headers.contains_key("idempotent-replayed")),
        (created.text, true)
    );
}

#[tokio::test]
async fn a_restart_delivers_pending_webhooks_and_no_others() {
    let directory = Directory::new();
    let sandbox = directory.sandbox().await;
    sandbox.intent().await;
    sandbox.endpoint.wait_for(1).await;
    let delivered = async || {
        sandbox.get("/v1/events?delivery_success=true").await.json["data"].as_array().unwrap().len()
    };
    while delivered().await == 0 {
        tokio::task::yield_now().await;
    }
    sandbox.hold().await;
    let undelivered = sandbox.intent().await.id();
    let endpoint = sandbox.stop().await;
    assert_eq!(endpoint.deliveries().len(), 1);

    let sandbox =
        Sandbox::with_endpoint(endpoint, |options| options.data_file = Some(directory.journal()))
            .await;
    let deliveries = sandbox.endpoint.wait_for(2).await;
    assert_eq!(deliveries[1].event["data"]["object"]["id"], undelivered.as_str());
    sandbox.intent().await;
    assert_eq!(sandbox.endpoint.wait_for(3).await.len(), 3);
}

#[tokio::test]
async fn a_restart_settles_payments_and_refunds_that_wait_for_a_bank() {
    let directory = Directory::new();
    let slow = |options: &mut Options| {
        options.data_file = Some(directory.journal());
        options.settlement = TIMEOUT * 10;
    };
    let sandbox = Sandbox::with(slow).await;
    let bank_payment = sandbox.pay("pm_usBankAccount_success").await.id();
    let card_payment = sandbox.pay("pm_card_pendingRefund").await.id();
    let refund = sandbox.post("/v1/refunds", &format!("payment_intent={card_payment}")).await.id();
    sandbox.stop().await;
    let sandbox = directory.sandbox().await;
    sandbox.until_status(&format!("/v1/payment_intents/{bank_payment}"), "succeeded").await;
    sandbox.until_status(&format!("/v1/refunds/{refund}"), "succeeded").await;
}

#[tokio::test]
async fn a_transaction_that_was_cut_short_did_not_happen() {
    let directory = Directory::new();
    let sandbox = directory.sandbox().await;
    let id = sandbox.intent().await.id();
    sandbox.stop().await;
    let mut journal = fs::OpenOptions::new().append(true).open(directory.journal()).unwrap();
    journal.write_all(br#"[{"payment_intent":{"id":"pi_half""#).unwrap();
    let sandbox = directory.sandbox().await;
    assert_eq!(sandbox.get(&format!("/v1/payment_intents/{id}")).await.status, 200);
    assert_eq!(sandbox.get("/v1/payment_intents").await.json["data"].as_array().unwrap().len(), 1);
    let next = sandbox.intent().await.id();
    sandbox.stop().await;
    let sandbox = directory.sandbox().await;
    assert_eq!(
        sandbox.get(&format!("/v1/payment_intents/{next}")).await.status,
        200,
        "later transactions are kept"
    );
}

#[tokio::test]
async fn a_damaged_data_file_and_a_data_file_in_use_and_an_https_endpoint_are_rejected() {
    let directory = Directory::new();
    fs::create_dir_all(&directory.0).unwrap();
    fs::write(directory.journal(), "[]\nnonsense\n[]\n").unwrap();
    let start_error = async |options: Options| {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let started = start(listener, options, Log::stderr(), CancellationToken::new()).await;
        format!("{:#}", started.expect_err("it must not start"))
    };
    let damaged = start_error(Options::new(None, "whsec_x", Some(directory.journal()))).await;
    assert!(damaged.contains("stripe.jsonl line 2 is damaged"), "{damaged}");
    let https =
        start_error(Options::new(Some("https://example.com/".into()), "whsec_x", None)).await;
    assert!(https.contains("https://example.com/"), "{https}");
    let other = Directory::new();
    let sandbox = other.sandbox().await;
    let in_use = start_error(Options::new(None, "whsec_x", Some(other.journal()))).await;
    assert!(in_use.contains("another process uses"), "{in_use}");
    sandbox.stop().await;
    other.sandbox().await.stop().await;
}
