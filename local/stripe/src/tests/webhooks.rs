//! Webhooks: their content, their signature, and retries until the endpoint accepts them.

use serde_json::json;

use super::Sandbox;
use super::endpoint::SECRET;

#[tokio::test]
async fn every_event_is_delivered_with_a_signature_in_stripes_form() {
    let sandbox = Sandbox::start().await;
    let id = sandbox.intent().await.id();
    let confirmed = sandbox
        .keyed("key-1", &format!("/v1/payment_intents/{id}/confirm"), "payment_method=pm_card_visa")
        .await;
    let deliveries = sandbox.endpoint.wait_for(4).await;
    for delivery in &deliveries {
        assert_eq!(delivery.signatures_by(SECRET), 1, "{}", delivery.signature);
        assert_eq!(delivery.signatures_by("whsec_other"), 0);
        assert_eq!(delivery.signature.matches(",v0=").count(), 1, "{}", delivery.signature);
        assert!(
            delivery.body.starts_with("{\n  \""),
            "bodies are pretty-printed: {}",
            delivery.body
        );
        assert_eq!(
            (&delivery.event["object"], &delivery.event["pending_webhooks"]),
            (&json!("event"), &json!(1))
        );
        assert_eq!(delivery.event["api_version"], "2026-09-30.endive");
    }
    let paid =
        deliveries.iter().find(|delivery| delivery.kind() == "payment_intent.succeeded").unwrap();
    assert_eq!(paid.event["data"]["object"]["status"], "succeeded");
    assert_eq!(
        paid.event["request"],
        json!({ "id": confirmed.header("request-id"), "idempotency_key": "key-1" })
    );
    let created =
        deliveries.iter().find(|delivery| delivery.kind() == "payment_intent.created").unwrap();
    assert_eq!(
        created.event["data"]["object"]["status"], "requires_payment_method",
        "an event is a snapshot"
    );
}

#[tokio::test]
async fn a_webhook_is_retried_until_the_endpoint_accepts_it() {
    let sandbox = Sandbox::start().await;
    sandbox.endpoint.answer_with(&[500, 302, 404]);
    sandbox.intent().await;
    let deliveries = sandbox.endpoint.wait_for(4).await;
    assert!(deliveries.iter().all(|delivery| delivery.id() == deliveries[0].id()));
    // An accepted webhook is not sent again: the next delivery is of the next event.
    sandbox.intent().await;
    let next = sandbox.endpoint.wait_for(5).await;
    assert_ne!(next[4].id(), next[3].id());
}

#[tokio::test]
async fn undelivered_events_can_be_listed() {
    let sandbox = Sandbox::start().await;
    sandbox.hold().await;
    sandbox.intent().await;
    let count = async |query: &str| {
        sandbox.get(&format!("/v1/events?{query}")).await.json["data"].as_array().unwrap().len()
    };
    assert_eq!(
        (count("delivery_success=false").await, count("delivery_success=true").await),
        (1, 0)
    );
    sandbox.control("webhooks/release", json!({})).await;
    assert_eq!(
        (count("delivery_success=false").await, count("delivery_success=true").await),
        (0, 1)
    );
    assert_eq!(
        (count("type=payment_intent.*").await, count("types[]=charge.succeeded").await),
        (1, 0)
    );
}

#[tokio::test]
async fn replaying_an_event_returns_the_endpoints_answer() {
    let sandbox = Sandbox::start().await;
    sandbox.intent().await;
    let id = sandbox.endpoint.wait_for(1).await[0].id().to_owned();
    sandbox.endpoint.answer_with(&[503]);
    let rejected = sandbox.control(&format!("events/{id}/replay"), json!({})).await;
    assert_eq!(rejected, json!({ "status": 503, "body": "seen" }));
    let taken = sandbox.control(&format!("events/{id}/replay"), json!({})).await;
    assert_eq!(taken["status"], 200);
    assert_eq!(sandbox.endpoint.deliveries().len(), 3);
    assert_eq!(
        sandbox.send("POST", "/_local/events/evt_none/replay", &[], "").await.unwrap().status,
        404
    );
}

#[tokio::test]
async fn two_secrets_give_two_v1_signatures() {
    let sandbox = Sandbox::start().await;
    sandbox.control("webhooks", json!({ "secrets": ["whsec_new", SECRET] })).await;
    sandbox.intent().await;
    let delivery = &sandbox.endpoint.wait_for(1).await[0];
    assert_eq!((delivery.signatures_by("whsec_new"), delivery.signatures_by(SECRET)), (1, 1));
    assert_eq!(delivery.signature.matches("v1=").count(), 2);
}

#[tokio::test]
async fn any_body_can_be_sent_with_any_signature() {
    let sandbox = Sandbox::start().await;
    let body = json!({ "id": "evt_x", "type": "unheard.of", "api_version": "1999-01-01" });
    let outcome = sandbox.control("webhooks/send", json!({ "body": body })).await;
    assert_eq!(outcome["status"], 200);
    sandbox
        .control(
            "webhooks/send",
            json!({ "body": "not json", "secrets": ["whsec_wrong"], "timestamp": 1000 }),
        )
        .await;
    sandbox.control("webhooks/send", json!({ "body": "{}", "signature": "t=1,v1=00" })).await;
    let deliveries = sandbox.endpoint.wait_for(3).await;
    assert_eq!((deliveries[0].kind(), deliveries[0].signatures_by(SECRET)), ("unheard.of", 1));
    assert_eq!(
        (
            deliveries[1].body.as_str(),
            deliveries[1].signatures_by("whsec_wrong"),
            deliveries[1].signatures_by(SECRET)
        ),
        ("not json", 1, 0)
    );
    assert!(deliveries[1].signature.starts_with("t=1000,"));
    assert_eq!(deliveries[2].signature, "t=1,v1=00");
}

#[tokio::test]
async fn without_an_endpoint_events_are_only_listed() {
    let sandbox = Sandbox::with(|options| options.webhook_url = None).await;
    sandbox.pay("pm_card_visa").await;
    assert_eq!(sandbox.events().await.len(), 4);
    let events = sandbox.get("/v1/events").await.json;
    assert_eq!(events["data"][0]["pending_webhooks"], 0);
    assert!(sandbox.endpoint.deliveries().is_empty());
}
