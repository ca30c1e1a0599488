//! `POST /orders/{id}/messages`.

use serde_json::json;

use crate::support::{Socket, admin, assigned, client, cloud, unique, worker};

#[tokio::test]
async fn client_and_worker_write_to_each_other_and_nobody_else_can() {
    let cloud = cloud();
    let (client, worker) = (client(cloud).await, worker(cloud, &[&unique("Live ")]).await);
    let order = assigned(cloud, &client, &worker).await;
    let path = format!("/orders/{order}/messages");
    let (mut socket, _) = Socket::hello(&worker, json!({})).await;
    let keyed = client.api.with("idempotency-key", &unique("key"));
    let sent = keyed.post(&path, json!({"text": "When can you start?"})).await.expect(201);
    assert_eq!(keyed.post(&path, json!({"text": "When can you start?"})).await.expect(201), sent);
    let entry = socket.next().await;
    assert_eq!((&entry["type"], &entry["data"]), (&json!("message.received"), &sent));
    assert_eq!(sent["from"]["username"], client.username.as_str());
    worker.api.post(&path, json!({"text": "At once."})).await.expect(201);
    for user in [&client, &worker] {
        let listed = user.api.get(&path).await.expect(200);
        let texts: Vec<_> = listed["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|m| m["text"].as_str().unwrap())
            .collect();
        assert_eq!(texts, ["At once.", "When can you start?"]);
    }
    let outsider = crate::support::worker(cloud, &[]).await;
    for (user, status, code) in
        [(&outsider, 404, "not_found"), (&admin(cloud).await, 403, "forbidden")]
    {
        user.api.get(&path).await.problem(status, code);
        user.api.post(&path, json!({"text": "Me, too!"})).await.problem(status, code);
    }
    client.api.post(&path, json!({"text": " "})).await.problem(422, "validation_failed");
}
