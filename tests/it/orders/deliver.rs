//! `POST /orders/{id}/deliver`.

use serde_json::json;

use crate::support::{Client, TestOrder, new_worker, shared_cloud};

#[tokio::test]
async fn a_lost_database_response_neither_repeats_nor_hides_the_delivery() {
    let cloud = shared_cloud();
    let order = TestOrder::in_status(cloud, "assigned").await;
    let before = order.read(&order.client).await["version"].as_u64().expect("a version");
    let database = Client::new(&cloud.ready.dynamodb);
    let fault =
        json!({"function": "orders-deliver", "action": "PutItem", "error": "lost_response"});
    let planted = database.post("/_local/faults", fault).await;
    assert!(planted.status.is_success(), "{planted:?}");
    // The fault may hit the delivery of another test instead, with the same result.
    assert_eq!(order.transition(&order.worker, "deliver").await["status"], "delivered");
    assert_eq!(order.read(&order.client).await["version"], before + 1);
}

#[tokio::test]
async fn only_its_worker_delivers_an_order() {
    let cloud = shared_cloud();
    let order = TestOrder::in_status(cloud, "assigned").await;
    let (path, other) = (order.path("deliver"), new_worker(cloud, &[]).await);
    other.api.post(&path, json!({})).await.problem(404, "not_found");
    order.client.api.post(&path, json!({})).await.problem(403, "forbidden");
    let delivered = order.worker.api.post(&path, json!({"note": "Done."})).await.expect_status(200);
    assert_eq!(delivered["status"], "delivered");
    assert!(delivered["deadline"].is_string(), "the client has limited time to review");
    assert_eq!(order.last_event().await["note"], "Done.");
    order.worker.api.post(&path, json!({})).await.problem(409, "illegal_transition");
}
