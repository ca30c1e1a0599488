//! `POST /orders/{id}/reassign`.

use serde_json::{Value, json};

use super::assert_field_errors;
use crate::support::{TestOrder, admin, new_client, new_worker, shared_cloud};

#[tokio::test]
async fn an_administrator_reassigns_an_order_or_returns_it_to_the_pool() {
    let cloud = shared_cloud();
    let (admin, second) = (admin(cloud).await, new_worker(cloud, &[]).await);
    let order = TestOrder::in_status(cloud, "assigned").await;
    let path = order.path("reassign");
    let unknown = json!({"worker_id": "usr_00000000000000000000000000"});
    let wrong = admin.api.post(&path, unknown).await.field_errors();
    assert_eq!(wrong, [("worker_id".to_owned(), "unknown_user".to_owned())]);
    // The order's client, its current worker, an administrator and another client are not eligible.
    for unfit in [&order.client, &order.worker, &admin, &new_client(cloud).await] {
        let body = json!({"worker_id": unfit.id().await});
        admin.api.post(&path, body).await.problem(409, "worker_not_eligible");
    }
    let given =
        admin.api.post(&path, json!({"worker_id": second.id().await})).await.expect_status(200);
    assert_eq!(
        (&given["status"], &given["worker"]["username"]),
        (&json!("assigned"), &json!(second.username))
    );
    order.worker.api.post(&order.path("deliver"), json!({})).await.problem(404, "not_found");
    assert_eq!(
        second.api.get("/orders").await.expect_status(200)["items"][0]["id"],
        order.id.as_str()
    );
    assert_eq!(order.worker.api.get("/orders").await.expect_status(200)["items"], json!([]));

    let back = admin.api.post(&path, json!({})).await.expect_status(200);
    assert_eq!((&back["status"], &back["worker"]), (&json!("open"), &Value::Null));
    second.api.post(&order.path("accept"), json!({})).await.expect_status(200);
}

#[tokio::test]
async fn malformed_ids_and_unknown_fields_are_rejected() {
    let order = TestOrder::in_status(shared_cloud(), "pending").await;
    let admin = admin(shared_cloud()).await;
    for (body, error) in [
        (json!({"worker_id": "nobody"}), ("worker_id", "invalid_id")),
        (json!({"worker": "x"}), ("worker", "unknown")),
    ] {
        assert_field_errors(&order, &admin, "reassign", body, &[error]).await;
    }
}
