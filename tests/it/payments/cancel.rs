//! `POST /orders/{id}/payment/cancel`.

use futures::future::join_all;
use serde_json::json;

use crate::support::{Shopper, cloud_without_webhooks, statuses};

#[tokio::test]
async fn a_repeated_idempotency_key_cancels_once() {
    let shopper = Shopper::new(cloud_without_webhooks().await).await;
    let checkout = shopper.paid("pm_card_visa").await;
    let api = shopper.user.api.with_header("idempotency-key", "cancel-once");
    let path = format!("/orders/{}/payment/cancel", checkout.order);
    let answers = join_all((0..5).map(|_| api.post(&path, json!({})))).await;
    let replayed = answers
        .iter()
        .filter(|answer| answer.header("idempotent-replayed") == Some("true"))
        .count();
    assert_eq!(replayed, 4);
    for answer in answers {
        assert_eq!(
            statuses(&answer.expect_status(200)),
            ("canceled".into(), "refund_pending".into())
        );
    }
    checkout.until_statuses("canceled", "refunded").await;
    shopper.user.api.post(&path, json!({})).await.problem(409, "illegal_transition");
}
