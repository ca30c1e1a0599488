//! `GET /webhooks/stripe/events`.

use serde_json::{Value, json};

use crate::support::{Shopper, client, eventually, filed, listed, now, signature, silent, unique};

#[tokio::test]
async fn unexpected_events_are_stored_and_shown_to_administrators_only() {
    let cloud = silent().await;
    let shopper = Shopper::new(cloud).await;
    let stripe = &shopper.stripe;
    let sign = |body: &[u8]| signature(stripe.secret(), now(), body);

    let of_type = |kind: &str, object: Value| {
        let id = unique("evt_odd");
        let body = json!({"id": id, "object": "event", "api_version": "2099-12-31.zulu", "type": kind, "data": {"object": object}});
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
        stripe.post(&sign(body.as_bytes()), body.as_bytes()).await.expect(200);
        let filed = filed(&shopper.admin, state, &id).await;
        assert_eq!(
            (&filed["type"], &filed["api_version"]),
            (&json!(kind), &json!("2099-12-31.zulu"))
        );
        assert_eq!((&filed["reason"], &filed["state"]), (&reason, &json!(state)), "{body}");
    }
    // No id, no JSON, no object: each is one event, however often it comes.
    let tag = unique("odd");
    let admin = shopper.admin.clone();
    let unreadable = async || {
        let items = listed(&admin, "unreadable").await;
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
        stripe.post(&sign(body.as_bytes()), body.as_bytes()).await.expect(200);
    }
    let all_filed = async || Some(unreadable().await).filter(|after| *after >= before + odd.len());
    assert_eq!(eventually("all are filed", all_filed).await, before + odd.len());

    // A shape that is new in everything but the intent's place is applied: nothing else of it is
    // believed.
    let checkout = shopper.checkout().await;
    checkout.pay("pm_card_visa").await.expect(200);
    let (id, body) = of_type(
        "payment_intent.succeeded",
        json!({"object": "payment_intent", "id": checkout.intent, "amount": "lots", "status": 7}),
    );
    stripe.post(&sign(body.as_bytes()), body.as_bytes()).await.expect(200);
    assert_eq!(filed(&shopper.admin, "applied", &id).await["order_id"], checkout.order.as_str());
    checkout.until("open", "paid").await;
    // And what says that something was paid does not make it so.
    let unpaid = shopper.checkout().await;
    let object = json!({"object": "payment_intent", "id": unpaid.intent, "amount_received": 1999, "status": "succeeded"});
    let (id, body) = of_type("payment_intent.succeeded", object);
    stripe.post(&sign(body.as_bytes()), body.as_bytes()).await.expect(200);
    filed(&shopper.admin, "unchanged", &id).await;
    assert_eq!(unpaid.states().await, ("pending".into(), "unpaid".into()));

    let path = "/webhooks/stripe/events?state=unreadable";
    shopper.user.api.get(path).await.problem(403, "forbidden");
    client(cloud).await.api.get(path).await.problem(403, "forbidden");
    cloud.client().get(path).await.problem(401, "unauthenticated");
    for wrong in ["", "?state=all", "?state=pending&state=applied", "?state=applied&limit=0"] {
        admin
            .api
            .get(&format!("/webhooks/stripe/events{wrong}"))
            .await
            .problem(422, "validation_failed");
    }
}
