//! `GET /orders/{id}/messages`.

use serde_json::json;

use crate::support::{admin, new_client, new_worker, place_assigned_order, shared_cloud, unique};

#[tokio::test]
async fn client_and_worker_list_their_messages_newest_first_and_nobody_else_can() {
    let cloud = shared_cloud();
    let (client, worker) = (new_client(cloud).await, new_worker(cloud, &[&unique("Live ")]).await);
    let order = place_assigned_order(cloud, &client, &worker).await;
    let path = format!("/orders/{order}/messages");
    client.api.post(&path, json!({"text": "When can you start?"})).await.expect_status(201);
    worker.api.post(&path, json!({"text": "At once."})).await.expect_status(201);
    for user in [&client, &worker] {
        let listed = user.api.get(&path).await.expect_status(200);
        let texts: Vec<_> = listed["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|m| m["text"].as_str().unwrap())
            .collect();
        assert_eq!(texts, ["At once.", "When can you start?"]);
    }
    let outsider = new_worker(cloud, &[]).await;
    outsider.api.get(&path).await.problem(404, "not_found");
    admin(cloud).await.api.get(&path).await.problem(403, "forbidden");
}
