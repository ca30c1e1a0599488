//! Injected faults: what the caller sees, and whether the call takes effect.

use std::time::Duration;

use serde_json::json;

use super::Sandbox;

const INTENTS: &str = "/v1/payment_intents";
const HEADERS: &[(&str, &str)] = &[
    ("authorization", "Bearer sk_test_local"),
    ("content-type", "application/x-www-form-urlencoded"),
    ("idempotency-key", "k"),
];

#[tokio::test]
async fn a_connection_can_break_before_or_after_the_call_takes_effect() {
    let sandbox = Sandbox::start().await;
    for (fault, events) in [("connection_reset", 0), ("connection_reset_after_acting", 1)] {
        sandbox
            .control("faults", json!({ "fault": fault, "method": "POST", "path": INTENTS }))
            .await;
        let broken = sandbox.send("POST", INTENTS, HEADERS, "amount=2000&currency=usd").await;
        assert!(broken.is_err(), "{fault} was answered");
        assert_eq!(sandbox.events().await.len(), events, "{fault}");
    }
    // A retry with the same key returns the result.
    let again = sandbox.send("POST", INTENTS, HEADERS, "amount=2000&currency=usd").await.unwrap();
    assert_eq!((again.status, again.header("idempotent-replayed")), (200, Some("true")));
    assert_eq!(sandbox.events().await.len(), 1);
}

#[tokio::test]
async fn a_call_can_time_out_after_it_takes_effect() {
    let sandbox = Sandbox::start().await;
    let id = sandbox.intent().await.id();
    let confirm = format!("{INTENTS}/{id}/confirm");
    sandbox
        .control(
            "faults",
            json!({ "fault": "timeout_after_acting", "path": "/v1/payment_intents/*/confirm" }),
        )
        .await;
    let call = sandbox.send("POST", &confirm, HEADERS, "payment_method=pm_card_visa");
    assert!(
        tokio::time::timeout(Duration::from_millis(500), call).await.is_err(),
        "it was answered"
    );
    assert_eq!(sandbox.get(&format!("{INTENTS}/{id}")).await.json["status"], "succeeded");
    let again =
        sandbox.send("POST", &confirm, HEADERS, "payment_method=pm_card_visa").await.unwrap();
    assert_eq!((again.status, again.header("idempotent-replayed")), (200, Some("true")));
    // A hanging call does not keep the stand-in from stopping.
    sandbox.control("faults", json!({ "fault": "timeout_after_acting" })).await;
    let stop = sandbox.stop.clone();
    let stopping = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        stop.cancel();
    };
    let (hanging, ()) = tokio::join!(sandbox.send("GET", INTENTS, HEADERS, ""), stopping);
    assert!(hanging.is_err(), "it was answered");
    sandbox.stop().await;
}

#[tokio::test]
async fn a_call_ends_even_if_the_client_hangs_up() {
    let sandbox = Sandbox::start().await;
    let path = format!("{INTENTS}/{}", sandbox.intent().await.id());
    let confirm = format!("{path}/confirm");
    let call = sandbox.send("POST", &confirm, HEADERS, "payment_method=pm_card_slow");
    assert!(
        tokio::time::timeout(Duration::from_millis(100), call).await.is_err(),
        "the payment was not slow"
    );
    sandbox.until_status(&path, "succeeded").await;
}

#[tokio::test]
async fn an_error_500_after_acting_takes_effect() {
    let sandbox = Sandbox::start().await;
    let id = sandbox.pay("pm_card_visa").await.id();
    sandbox
        .control("faults", json!({ "fault": "error_500_after_acting", "path": "/v1/refunds" }))
        .await;
    let form = format!("payment_intent={id}");
    assert_eq!(sandbox.keyed("r", "/v1/refunds", &form).await.status, 500);
    assert_eq!(sandbox.keyed("r", "/v1/refunds", &form).await.status, 500, "the answer is kept");
    let refunds = sandbox.get(&format!("/v1/refunds?payment_intent={id}")).await.json;
    assert_eq!(refunds["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn webhooks_arrive_before_a_slow_response() {
    let sandbox = Sandbox::start().await;
    sandbox
        .control("faults", json!({ "fault": "slow_response", "delay_ms": 1000, "path": INTENTS }))
        .await;
    let delivery = async {
        sandbox.endpoint.wait_for(1).await;
        tokio::time::Instant::now()
    };
    let (answered, delivered) = tokio::join!(
        async {
            sandbox.intent().await;
            tokio::time::Instant::now()
        },
        delivery
    );
    assert!(delivered < answered);
}

#[tokio::test]
async fn a_fault_hits_its_path_as_often_as_it_says() {
    let sandbox = Sandbox::start().await;
    sandbox
        .control(
            "faults",
            json!({
                "fault": "error_500", "method": "POST", "path": "/v1/payment_intents/*/cancel",
                "times": 2,
            }),
        )
        .await;
    let id = sandbox.intent().await.id();
    let cancel = format!("{INTENTS}/{id}/cancel");
    let statuses = [
        sandbox.post(&cancel, "").await.status,
        sandbox.post(&cancel, "").await.status,
        sandbox.post(&cancel, "").await.status,
    ];
    assert_eq!(statuses, [500, 500, 200]);
    sandbox.control("faults", json!({ "fault": "error_500", "times": 9 })).await;
    let cleared = sandbox.send("DELETE", "/_local/faults", &[], "").await.unwrap();
    assert_eq!(cleared.json, json!([]));
    assert_eq!(sandbox.intent().await.status, 200);
    let unknown = sandbox
        .send(
            "POST",
            "/_local/faults",
            &[("content-type", "application/json")],
            r#"{"fault":"flood"}"#,
        )
        .await
        .unwrap();
    assert!(unknown.status >= 400, "an unknown fault was accepted");
}
