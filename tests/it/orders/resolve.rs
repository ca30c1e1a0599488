//! `POST /orders/{id}/resolve`.

use serde_json::json;

use super::assert_field_errors;
use crate::support::{TestOrder, admin, shared_cloud, until_payment_status};

#[tokio::test]
async fn an_administrator_resolves_a_dispute_for_either_party() {
    let cloud = shared_cloud();
    let admin = admin(cloud).await;
    for (outcome, status) in [("release", "completed"), ("refund", "canceled")] {
        let order = TestOrder::in_status(cloud, "disputed").await;
        let path = order.path("resolve");
        let body = json!({"outcome": outcome, "note": "Decided."});
        for party in [&order.client, &order.worker] {
            party.api.post(&path, body.clone()).await.problem(403, "forbidden");
        }
        let resolved = admin.api.post(&path, body).await.expect_status(200);
        assert_eq!(resolved["status"], status);
        let paid = if outcome == "release" { "paid" } else { "refunded" };
        until_payment_status(&order.client, &order.id, paid).await;
    }
}

#[tokio::test]
async fn outcome_and_note_are_required_and_checked() {
    let order = TestOrder::in_status(shared_cloud(), "pending").await;
    let admin = admin(shared_cloud()).await;
    for (body, errors) in [
        (json!({}), &[("outcome", "required"), ("note", "required")][..]),
        (json!({"outcome": "split", "note": "x"}), &[("outcome", "invalid")]),
        (json!({"outcome": "refund", "note": " "}), &[("note", "too_short")]),
    ] {
        assert_field_errors(&order, &admin, "resolve", body, errors).await;
    }
}
