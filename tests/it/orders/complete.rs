//! `POST /orders/{id}/complete`.

use serde_json::json;

use super::assert_field_errors;
use crate::support::{TestOrder, new_client, shared_cloud};

#[tokio::test]
async fn only_its_client_completes_a_delivered_order() {
    let cloud = shared_cloud();
    let order = TestOrder::in_status(cloud, "delivered").await;
    let stranger = new_client(cloud).await;
    let path = order.path("complete");
    stranger.api.post(&path, json!({})).await.problem(404, "not_found");
    order.worker.api.post(&path, json!({})).await.problem(403, "forbidden");
    let completed =
        order.client.api.post(&path, json!({"note": "Thank you."})).await.expect_status(200);
    assert_eq!((&completed["status"], &completed["actions"]), (&json!("completed"), &json!([])));
    let event = order.last_event().await;
    assert_eq!((&event["type"], &event["note"]), (&json!("complete"), &json!("Thank you.")));
    order.client.api.post(&path, json!({})).await.problem(409, "illegal_transition");
}

#[tokio::test]
async fn an_overlong_note_is_rejected() {
    let order = TestOrder::in_status(shared_cloud(), "pending").await;
    let body = json!({"note": "x".repeat(10_000)});
    assert_field_errors(&order, &order.client, "complete", body, &[("note", "too_long")]).await;
}
