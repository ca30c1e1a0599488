//! Tests of the settings of webhooks: delay, repeat, hold and release, reorder, drop.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::Sandbox;

/// The events of a payment, in order.
const PAYMENT_EVENTS: [&str; 4] =
    ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded", "charge.updated"];

fn reversed() -> Vec<&'static str> {
    PAYMENT_EVENTS.into_iter().rev().collect()
}

#[tokio::test]
async fn held_events_are_released_in_the_requested_order() {
    let sandbox = Sandbox::start().await;
    sandbox.hold().await;
    sandbox.pay("pm_card_visa").await;
    let state = sandbox.send("GET", "/_local/webhooks", &[], "").await.unwrap().json;
    assert_eq!(
        (state["held"].as_array().unwrap().len(), state["pending"].as_array().unwrap().len()),
        (4, 4)
    );
    assert!(sandbox.endpoint.deliveries().is_empty());
    let released = sandbox.control("webhooks/release", json!({ "order": "reverse" })).await;
    assert_eq!(released.as_array().unwrap().len(), 4);
    assert_eq!(released[0]["status"], 200);
    assert_eq!(sandbox.endpoint.kinds(), reversed());
    sandbox.pay("pm_card_visa").await;
    sandbox.control("webhooks/release", json!({})).await;
    assert_eq!(sandbox.endpoint.kinds()[4..], PAYMENT_EVENTS);
    let state = sandbox.send("GET", "/_local/webhooks", &[], "").await.unwrap().json;
    assert_eq!((&state["held"], &state["pending"]), (&json!([]), &json!([])));
}

#[tokio::test]
async fn a_released_event_that_the_endpoint_rejects_is_held_again() {
    let sandbox = Sandbox::start().await;
    sandbox.hold().await;
    sandbox.intent().await;
    sandbox.endpoint.answer_with(&[500]);
    assert_eq!(sandbox.control("webhooks/release", json!({})).await[0]["status"], 500);
    // The mode is still `hold`, so the event is not retried.
    let held = async || {
        sandbox.send("GET", "/_local/webhooks", &[], "").await.unwrap().json["held"]
            .as_array()
            .unwrap()
            .len()
    };
    let deadline = Instant::now() + super::TIMEOUT;
    while held().await == 0 {
        assert!(Instant::now() < deadline, "it was not held again");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(sandbox.endpoint.deliveries().len(), 1);
    sandbox.control("webhooks", json!({ "mode": "deliver" })).await;
    sandbox.control("webhooks/release", json!({})).await;
    assert_eq!(sandbox.endpoint.deliveries().len(), 2);
}

#[tokio::test]
async fn reversed_events_are_sent_newest_first() {
    let sandbox = Sandbox::start().await;
    sandbox.control("webhooks", json!({ "mode": "reverse" })).await;
    sandbox.pay("pm_card_visa").await;
    sandbox.endpoint.wait_for(4).await;
    assert_eq!(sandbox.endpoint.kinds(), reversed());
}

#[tokio::test]
async fn shuffled_events_are_all_sent() {
    let sandbox = Sandbox::start().await;
    sandbox.control("webhooks", json!({ "mode": "shuffle" })).await;
    let mut orders = Vec::new();
    // By chance, twelve payments keep their order once in 3.7e16 runs.
    for round in 1..=12 {
        sandbox.pay("pm_card_visa").await;
        let mut kinds: Vec<_> = sandbox.endpoint.wait_for(round * 4).await[(round - 1) * 4..]
            .iter()
            .map(|delivery| delivery.kind().to_owned())
            .collect();
        orders.push(kinds.clone());
        kinds.sort_unstable();
        assert_eq!(
            kinds,
            [
                "charge.succeeded",
                "charge.updated",
                "payment_intent.created",
                "payment_intent.succeeded"
            ]
        );
    }
    assert!(orders.iter().any(|order| *order != PAYMENT_EVENTS), "no payment was out of order");
}

#[tokio::test]
async fn each_event_is_repeated_as_often_as_the_settings_say() {
    let sandbox = Sandbox::start().await;
    sandbox.control("webhooks", json!({ "repeat": 3 })).await;
    sandbox.intent().await;
    let deliveries = sandbox.endpoint.wait_for(3).await;
    assert!(deliveries.iter().all(|delivery| delivery.id() == deliveries[0].id()));
    sandbox.intent().await;
    assert_ne!(
        sandbox.endpoint.wait_for(6).await[3].id(),
        deliveries[0].id(),
        "the first was delivered three times"
    );
}

#[tokio::test]
async fn deliveries_are_delayed() {
    let sandbox = Sandbox::start().await;
    sandbox.control("webhooks", json!({ "delay_ms": 400 })).await;
    let before = Instant::now();
    sandbox.intent().await;
    sandbox.endpoint.wait_for(1).await;
    assert!(before.elapsed() >= Duration::from_millis(400));
}

#[tokio::test]
async fn dropped_events_are_not_sent_but_can_be_replayed() {
    let sandbox = Sandbox::start().await;
    sandbox.control("webhooks", json!({ "mode": "drop" })).await;
    sandbox.intent().await;
    sandbox.control("webhooks", json!({ "mode": "deliver" })).await;
    sandbox.intent().await;
    sandbox.endpoint.wait_for(1).await;
    let events = sandbox.get("/v1/events").await.json;
    assert_eq!(
        sandbox.endpoint.deliveries()[0].id(),
        events["data"][0]["id"],
        "only the second was delivered"
    );
    let dropped = events["data"][1]["id"].as_str().unwrap();
    assert_eq!(events["data"][1]["pending_webhooks"], 0);
    sandbox.control(&format!("events/{dropped}/replay"), json!({})).await;
    assert_eq!(sandbox.endpoint.deliveries()[1].id(), dropped);
}

#[tokio::test]
async fn an_unknown_setting_is_rejected() {
    let sandbox = Sandbox::start().await;
    for body in [r#"{"mode":"scatter"}"#, r#"{"pause":true}"#] {
        let reply = sandbox
            .send("POST", "/_local/webhooks", &[("content-type", "application/json")], body)
            .await
            .unwrap();
        assert!(reply.status >= 400, "{body}");
    }
}
