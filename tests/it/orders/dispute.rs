//! `POST /orders/{id}/dispute`.

use serde_json::json;

use super::assert_field_errors;
use crate::support::{TestOrder, new_client, shared_cloud};

#[tokio::test]
async fn both_parties_can_dispute_an_order_and_nobody_else() {
    let cloud = shared_cloud();
    let stranger = new_client(cloud).await;
    for (status, by_client) in [("assigned", true), ("delivered", false)] {
        let order = TestOrder::in_status(cloud, status).await;
        let path = order.path("dispute");
        let body = json!({"reason": "Not what was agreed."});
        stranger.api.post(&path, body.clone()).await.problem(404, "not_found");
        let user = if by_client { &order.client } else { &order.worker };
        let disputed = user.api.post(&path, body.clone()).await.expect_status(200);
        assert_eq!((&disputed["status"], &disputed["actions"]), (&json!("disputed"), &json!([])));
        assert_eq!(order.last_event().await["note"], body["reason"]);
        user.api.post(&path, body).await.problem(409, "illegal_transition");
    }
}

#[tokio::test]
async fn the_reason_must_be_a_text_of_limited_length() {
    let order = TestOrder::in_status(shared_cloud(), "pending").await;
    for (reason, code) in [
        (json!(7), "not_a_string"),
        (json!(" \n "), "too_short"),
        (json!("x".repeat(10_000)), "too_long"),
    ] {
        let body = json!({"reason": reason});
        assert_field_errors(&order, &order.client, "dispute", body, &[("reason", code)]).await;
    }
}
