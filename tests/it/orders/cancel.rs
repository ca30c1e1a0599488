//! `POST /orders/{id}/cancel`.

use serde_json::{Value, json};

use crate::support::{Cloud, Job, People, admin, body, cloud, pay, unique, until_payment};

/// The order's one intent, as the stand-in for Stripe has it.
async fn intent_status(cloud: &Cloud, intent: &Value) -> Value {
    let intent = intent.as_str().expect("an intent");
    let stripe = cloud.stripe().bearer("sk_test_local");
    stripe.get(&format!("/v1/payment_intents/{intent}")).await.expect(200)["status"].clone()
}

#[tokio::test]
async fn canceling_an_unpaid_order_cancels_its_payment_intent() {
    let cloud = cloud();
    let (admin, people) = (admin(cloud).await, People::new(cloud).await);
    for (by_admin, verb) in [(false, "cancel"), (true, "cancel"), (false, "payment/cancel")] {
        let job = Job::of(cloud, &people, "pending").await;
        let payment = job.client.api.post(&job.path("payment"), json!({})).await.expect(200);
        let user = if by_admin { &admin } else { &job.client };
        let keyed = user.api.with("idempotency-key", &unique("key"));
        let first = keyed.post(&job.path(verb), body(verb)).await.expect(200);
        assert_eq!(
            (&first["status"], &first["payment_status"]),
            (&json!("canceled"), &json!("unpaid"))
        );
        assert_eq!(
            intent_status(cloud, &payment["payment_intent_id"]).await,
            "canceled",
            "before the answer"
        );
        let again = keyed.post(&job.path(verb), body(verb)).await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(again.expect(200), first);
        user.api.post(&job.path(verb), body(verb)).await.problem(409, "illegal_transition");
        assert_eq!(
            pay(cloud, &job.client, &job.id, "pm_card_visa").await["status"],
            400,
            "it can't be paid any more"
        );
    }
    // Without an intent there is nothing to do at Stripe, and the answer to a repetition is the
    // same, too.
    let job = Job::in_state(cloud, "pending").await;
    let keyed = job.client.api.with("idempotency-key", &unique("key"));
    let first = keyed.post(&job.path("payment/cancel"), json!({})).await.expect(200);
    assert_eq!(keyed.post(&job.path("payment/cancel"), json!({})).await.expect(200), first);
    job.client.api.post(&job.path("payment"), json!({})).await.problem(409, "order_not_payable");
}

#[tokio::test]
async fn canceling_a_paid_order_refunds_it() {
    let cloud = cloud();
    let (admin, people) = (admin(cloud).await, People::new(cloud).await);
    for (status, verb) in [("open", "cancel"), ("assigned", "cancel"), ("disputed", "resolve")] {
        let job = Job::of(cloud, &people, status).await;
        let user = if status == "open" { &job.client } else { &admin };
        let called_off = job.moves(user, verb).await;
        assert_eq!(
            (&called_off["status"], &called_off["payment_status"]),
            (&json!("canceled"), &json!("refund_pending"))
        );
        until_payment(&job.client, &job.id, "refunded").await;
        let payment = job.client.api.get(&job.path("payment")).await.expect(200);
        assert_eq!(payment["balance"]["amount"], 0);
        assert_eq!(payment["refunds"].as_array().map(Vec::len), Some(1));
    }
}
