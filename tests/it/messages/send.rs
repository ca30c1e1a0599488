//! `POST /orders/{id}/messages`.

use serde_json::json;

use crate::support::{
    Socket, admin, new_client, new_worker, place_assigned_order, shared_cloud, unique,
};

#[tokio::test]
async fn client_and_worker_write_to_each_other_and_nobody_else_can() {
    let cloud = shared_cloud();
    let (client, worker) = (new_client(cloud).await, new_worker(cloud, &[&unique("Live ")]).await);
    let order = place_assigned_order(cloud, &client, &worker).await;
    let path = format!("/orders/{order}/messages");
    let (mut socket, _) = Socket::connect_and_hello(&worker, json!({})).await;
    let keyed = client.api.with_header("idempotency-key", &unique("key"));
    let sent = keyed.post(&path, json!({"text": "When can you start?"})).await.expect_status(201);
    assert_eq!(
        keyed.post(&path, json!({"text": "When can you start?"})).await.expect_status(201),
        sent
    );
    let entry = socket.next().await;
    assert_eq!((&entry["type"], &entry["data"]), (&json!("message.received"), &sent));
    assert_eq!(sent["from"]["username"], client.username.as_str());
    worker.api.post(&path, json!({"text": "At once."})).await.expect_status(201);
    let outsider = new_worker(cloud, &[]).await;
    for (user, status, code) in
        [(&outsider, 404, "not_found"), (&admin(cloud).await, 403, "forbidden")]
    {
        user.api.post(&path, json!({"text": "Me, too!"})).await.problem(status, code);
    }
    client.api.post(&path, json!({"text": " "})).await.problem(422, "validation_failed");
}
