//! `POST /orders/{id}/request-revision`.

use serde_json::json;

use super::actions;
use crate::support::{TestOrder, new_client, shared_cloud};

#[tokio::test]
async fn only_its_client_sends_a_delivery_back() {
    let cloud = shared_cloud();
    let order = TestOrder::in_status(cloud, "delivered").await;
    let (path, stranger) = (order.path("request-revision"), new_client(cloud).await);
    stranger.api.post(&path, json!({})).await.problem(404, "not_found");
    order.worker.api.post(&path, json!({})).await.problem(403, "forbidden");
    let sent_back =
        order.client.api.post(&path, json!({"note": "In blue."})).await.expect_status(200);
    assert_eq!(sent_back["status"], "assigned");
    assert_eq!(order.last_event().await["note"], "In blue.");
}

#[tokio::test]
async fn a_client_can_request_five_revisions() {
    let order = TestOrder::in_status(shared_cloud(), "delivered").await;
    for _ in 0..5 {
        order.transition(&order.client, "request-revision").await;
        order.transition(&order.worker, "deliver").await;
    }
    assert_eq!(actions(&order.read(&order.client).await), ["complete", "dispute"]);
    let path = order.path("request-revision");
    let problem = order.client.api.post(&path, json!({})).await.problem(409, "no_revisions_left");
    assert_eq!(problem["order_status"], "delivered");
}
