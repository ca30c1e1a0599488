//! Signed events of a type or shape that nobody expected.

use serde_json::{Value, json};

use crate::support::{
    Shopper, cloud_without_webhooks, events_in_state, eventually, now, signature, unique,
    until_event,
};

#[tokio::test]
async fn unexpected_events_are_stored_and_change_no_order() {
    let cloud = cloud_without_webhooks().await;
    let shopper = Shopper::new(cloud).await;
    let stripe = &shopper.stripe;
    let sign = |body: &[u8]| signature(stripe.secret(), now(), body);

    let of_type = |kind: &str, object: Value| {
        let id = unique("evt_odd");
        let body = json!({
            "id": id, "object": "event", "api_version": "2099-12-31.zulu", "type": kind,
            "data": {"object": object},
        });
        (id, body.to_string())
    };
    for (kind, object, state, reason) in [
        ("invoice.invented", json!({"id": "in_1"}), "ignored", json!("type")),
        (
            "payment_intent.succeeded",
            json!({"object": "payment_intent"}),
            "unreadable",
            Value::Null,
        ),
        (
            "payment_intent.succeeded",
            json!({"object": "payment_intent", "id": {"value": "pi_1"}}),
            "unreadable",
            Value::Null,
        ),
        (
            "charge.refunded",
            json!({"object": "charge", "paymentIntent": "pi_1"}),
            "unreadable",
            Value::Null,
        ),
        ("charge.dispute.created", json!([]), "unreadable", Value::Null),
        (
            "charge.refunded",
            json!({"object": "charge", "payment_intent": null}),
            "ignored",
            json!("no_intent"),
        ),
        (
            "refund.created",
            json!({"object": "refund", "payment_intent": "pi_of_nobody"}),
            "ignored",
            json!("unknown_intent"),
        ),
    ] {
        let (id, body) = of_type(kind, object);
        stripe.post(&sign(body.as_bytes()), body.as_bytes()).await.expect_status(200);
        let stored = until_event(&shopper.admin, state, &id).await;
        assert_eq!(
            (&stored["type"], &stored["api_version"]),
            (&json!(kind), &json!("2099-12-31.zulu"))
        );
        assert_eq!((&stored["reason"], &stored["state"]), (&reason, &json!(state)), "{body}");
    }
    // A body that has no id or isn't a JSON object is stored once, however often it arrives.
    let tag = unique("odd");
    let admin = shopper.admin.clone();
    let unreadable = async || {
        let items = events_in_state(&admin, "unreadable").await;
        items
            .iter()
            .filter(|item| item["id"].as_str().unwrap().starts_with("unidentified_"))
            .count()
    };
    let odd = [
        format!("{{\"{tag}"),
        format!("[\"{tag}\"]"),
        format!("\"{tag}\""),
        format!("{{\"id\": 7, \"x\": \"{tag}\"}}"),
        format!("{}\n", "[".repeat(10_000)),
    ];
    let before = unreadable().await;
    for body in odd.iter().chain(&odd) {
        stripe.post(&sign(body.as_bytes()), body.as_bytes()).await.expect_status(200);
    }
    let all_stored = async || Some(unreadable().await).filter(|after| *after >= before + odd.len());
    assert_eq!(eventually("all are stored", all_stored).await, before + odd.len());

    // Only the intent's id is read from an event, so an unknown shape around it does not matter.
    let checkout = shopper.checkout().await;
    checkout.pay("pm_card_visa").await.expect_status(200);
    let (id, body) = of_type(
        "payment_intent.succeeded",
        json!({"object": "payment_intent", "id": checkout.intent, "amount": "lots", "status": 7}),
    );
    stripe.post(&sign(body.as_bytes()), body.as_bytes()).await.expect_status(200);
    assert_eq!(
        until_event(&shopper.admin, "applied", &id).await["order_id"],
        checkout.order.as_str()
    );
    checkout.until_statuses("open", "paid").await;
    // An event that claims a payment does not make the order paid.
    let unpaid = shopper.checkout().await;
    let object = json!({
        "object": "payment_intent", "id": unpaid.intent, "amount_received": 1999,
        "status": "succeeded",
    });
    let (id, body) = of_type("payment_intent.succeeded", object);
    stripe.post(&sign(body.as_bytes()), body.as_bytes()).await.expect_status(200);
    until_event(&shopper.admin, "unchanged", &id).await;
    assert_eq!(unpaid.statuses().await, ("pending".into(), "unpaid".into()));
}
