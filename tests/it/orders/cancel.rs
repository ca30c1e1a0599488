//! `POST /orders/{id}/cancel`.

use serde_json::{Value, json};

use super::assert_field_errors;
use crate::support::{
    Cloud, Parties, TestOrder, admin, pay, shared_cloud, transition_body, unique,
    until_payment_status,
};

/// Returns the status of this payment intent at Stripe.
async fn intent_status(cloud: &Cloud, intent: &Value) -> Value {
    let intent = intent.as_str().expect("an intent");
    let stripe = cloud.stripe().bearer("sk_test_local");
    stripe.get(&format!("/v1/payment_intents/{intent}")).await.expect_status(200)["status"].clone()
}

#[tokio::test]
async fn canceling_an_unpaid_order_cancels_its_payment_intent() {
    let cloud = shared_cloud();
    let (admin, parties) = (admin(cloud).await, Parties::new(cloud).await);
    for (by_admin, verb) in [(false, "cancel"), (true, "cancel"), (false, "payment/cancel")] {
        let order = TestOrder::between(cloud, &parties, "pending").await;
        let payment =
            order.client.api.post(&order.path("payment"), json!({})).await.expect_status(200);
        let user = if by_admin { &admin } else { &order.client };
        let keyed = user.api.with_header("idempotency-key", &unique("key"));
        let first = keyed.post(&order.path(verb), transition_body(verb)).await.expect_status(200);
        assert_eq!(
            (&first["status"], &first["payment_status"]),
            (&json!("canceled"), &json!("unpaid"))
        );
        assert_eq!(
            intent_status(cloud, &payment["payment_intent_id"]).await,
            "canceled",
            "the intent is canceled before the response"
        );
        let again = keyed.post(&order.path(verb), transition_body(verb)).await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(again.expect_status(200), first);
        user.api
            .post(&order.path(verb), transition_body(verb))
            .await
            .problem(409, "illegal_transition");
        assert_eq!(
            pay(cloud, &order.client, &order.id, "pm_card_visa").await["status"],
            400,
            "the order can no longer be paid"
        );
    }
}

#[tokio::test]
async fn canceling_an_order_without_a_payment_intent_can_be_repeated() {
    let order = TestOrder::in_status(shared_cloud(), "pending").await;
    let keyed = order.client.api.with_header("idempotency-key", &unique("key"));
    let first = keyed.post(&order.path("payment/cancel"), json!({})).await.expect_status(200);
    assert_eq!(
        keyed.post(&order.path("payment/cancel"), json!({})).await.expect_status(200),
        first
    );
    order
        .client
        .api
        .post(&order.path("payment"), json!({}))
        .await
        .problem(409, "order_not_payable");
}

#[tokio::test]
async fn canceling_a_paid_order_refunds_it() {
    let cloud = shared_cloud();
    let (admin, parties) = (admin(cloud).await, Parties::new(cloud).await);
    for (status, verb) in [("open", "cancel"), ("assigned", "cancel"), ("disputed", "resolve")] {
        let order = TestOrder::between(cloud, &parties, status).await;
        let user = if status == "open" { &order.client } else { &admin };
        let called_off = order.transition(user, verb).await;
        assert_eq!(
            (&called_off["status"], &called_off["payment_status"]),
            (&json!("canceled"), &json!("refund_pending"))
        );
        until_payment_status(&order.client, &order.id, "refunded").await;
        let payment = order.client.api.get(&order.path("payment")).await.expect_status(200);
        assert_eq!(payment["balance"]["amount"], 0);
        assert_eq!(payment["refunds"].as_array().map(Vec::len), Some(1));
    }
}

#[tokio::test]
async fn a_reason_is_required() {
    let order = TestOrder::in_status(shared_cloud(), "pending").await;
    for (body, errors) in [
        (json!({}), &[("reason", "required")][..]),
        (json!({"note": "x"}), &[("reason", "required"), ("note", "unknown")]),
        (json!({"reason": ""}), &[("reason", "too_short")]),
    ] {
        assert_field_errors(&order, &order.client, "cancel", body, errors).await;
    }
}
