//! `POST /orders/{id}/release`.

use serde_json::{Value, json};

use super::actions;
use crate::support::{TestOrder, new_worker, shared_cloud};

#[tokio::test]
async fn only_its_worker_returns_an_order_to_the_pool() {
    let cloud = shared_cloud();
    let order = TestOrder::in_status(cloud, "assigned").await;
    let (path, other) = (order.path("release"), new_worker(cloud, &[]).await);
    other.api.post(&path, json!({})).await.problem(404, "not_found");
    order.client.api.post(&path, json!({})).await.problem(403, "forbidden");
    let released = order.worker.api.post(&path, json!({})).await.expect_status(200);
    assert_eq!((&released["status"], &released["worker"]), (&json!("open"), &Value::Null));
    order.transition(&other, "accept").await;
}

#[tokio::test]
async fn an_order_can_be_released_ten_times() {
    let order = TestOrder::in_status(shared_cloud(), "assigned").await;
    for _ in 0..10 {
        order.transition(&order.worker, "release").await;
        order.transition(&order.worker, "accept").await;
    }
    assert_eq!(actions(&order.read(&order.worker).await), ["deliver", "dispute"]);
    let release = order.worker.api.post(&order.path("release"), json!({})).await;
    release.problem(409, "no_handovers_left");
}
