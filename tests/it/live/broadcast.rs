//! `POST /live/broadcasts`.

use serde_json::json;

use super::feed;
use crate::support::{Socket, User, admin, new_client, new_worker, shared_cloud, unique};

#[tokio::test]
async fn a_broadcast_reaches_everyone_of_its_role_once_and_nobody_else() {
    let cloud = shared_cloud();
    let (admin, client) = (admin(cloud).await, new_client(cloud).await);
    let workers = [new_worker(cloud, &[]).await, new_worker(cloud, &["design"]).await];
    let mut sockets = Vec::new();
    for worker in &workers {
        sockets.push(Socket::connect_and_hello(worker, json!({})).await.0);
    }
    let (mut clients, _) = Socket::connect_and_hello(&client, json!({})).await;
    let body = json!({"role": "worker", "text": unique("Maintenance ")});
    client.api.post("/live/broadcasts", body.clone()).await.problem(403, "forbidden");
    admin
        .api
        .post("/live/broadcasts", json!({"role": "king", "text": ""}))
        .await
        .problem(422, "validation_failed");
    let keyed = admin.api.with_header("idempotency-key", &unique("key"));
    let sent = keyed.post("/live/broadcasts", body.clone()).await.expect_status(202);
    assert_eq!(keyed.post("/live/broadcasts", body.clone()).await.expect_status(202), sent);
    keyed
        .post("/live/broadcasts", json!({"role": "worker", "text": "Else"}))
        .await
        .problem(422, "idempotency_key_reused");
    for socket in &mut sockets {
        let entry = loop {
            let frame = socket.next().await;
            if frame["data"]["text"] == body["text"] {
                break frame;
            }
        };
        assert_eq!((&entry["type"], &entry["feed"]), (&json!("broadcast"), &json!("role:workers")));
        assert_eq!(entry["data"], json!({"id": sent["id"], "text": body["text"]}));
    }
    // The next frame is the pong, so nothing was pushed to the client. Nothing was stored for
    // clients either.
    clients.assert_open().await;
    let stored = async |user: &User, name: &str| {
        let feed = feed(user, name).await;
        let items = feed["items"].as_array().unwrap();
        items.iter().filter(|entry| entry["data"]["id"] == sent["id"]).count()
    };
    assert_eq!(stored(&client, "role:clients").await, 0);
    assert_eq!(stored(&workers[0], "role:workers").await, 1);
}
