//! `GET /live/feed`, and the same entries over a socket.

use serde_json::json;

use super::feed;
use crate::support::{
    Socket, TestOrder, eventually, new_client, new_worker, place_assigned_order, shared_cloud,
    unique,
};

#[tokio::test]
async fn missed_entries_are_the_same_over_the_socket_and_over_http() {
    let cloud = shared_cloud();
    let (client, worker) = (new_client(cloud).await, new_worker(cloud, &[&unique("Live ")]).await);
    let own = format!("user:{}", client.id().await);
    let mut silent = Socket::connect(&client).await;
    let order = place_assigned_order(cloud, &client, &worker).await;

    let (mut socket, welcome) = Socket::connect_and_hello(&client, json!({&own: 0})).await;
    assert_eq!(welcome["user_id"], own.trim_start_matches("user:"));
    assert_eq!(welcome["role"], "client");
    let mut entries = vec![socket.next().await];
    while entries.last().unwrap()["type"] != "order.assigned" {
        entries.push(socket.next().await);
    }
    let types: Vec<_> = entries.iter().map(|e| e["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["payment.paid", "order.assigned"]);
    assert_eq!(entries.iter().map(|e| e["seq"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 2]);
    assert!(entries.iter().all(|e| e["feed"] == own.as_str() && e["data"]["id"] == order.as_str()));
    let stored = feed(&client, &own).await;
    assert_eq!((&stored["items"], &stored["last"]), (&json!(entries), &json!(2)));
    let rest =
        client.api.get(&format!("/live/feed?feed={own}&after=1&limit=1")).await.expect_status(200);
    assert_eq!(rest["items"], json!([entries[1]]));

    // The other socket got nothing before its hello. The hello contains its position, and the
    // socket then gets the missed entries.
    silent.send(json!({"action": "hello", "after": {&own: 1}})).await;
    let welcome = silent.next().await;
    assert_eq!((&welcome["type"], &welcome["feeds"][&own]), (&json!("welcome"), &json!(2)));
    assert_eq!(silent.next().await, entries[1]);
    worker.api.post(&format!("/orders/{order}/deliver"), json!({})).await.expect_status(200);
    for socket in [&mut socket, &mut silent] {
        let delivered = socket.next().await;
        assert_eq!((&delivered["type"], &delivered["seq"]), (&json!("order.delivered"), &json!(3)));
    }
}

#[tokio::test]
async fn feeds_of_others_are_rejected_over_the_socket_and_over_http() {
    let cloud = shared_cloud();
    let (ann, bob) = (new_client(cloud).await, new_client(cloud).await);
    let bobs = format!("user:{}", bob.id().await);
    for foreign in [&bobs, "role:admins", "role:workers", "workers:*", "workers:design"] {
        ann.api.get(&format!("/live/feed?feed={foreign}")).await.problem(403, "forbidden");
    }
    let wrong = ann.api.get("/live/feed?feed=role:kings&after=x").await.field_errors();
    assert_eq!(
        wrong.iter().map(|(field, _)| field.as_str()).collect::<Vec<_>>(),
        ["feed", "after"]
    );
    let (mut socket, welcome) =
        Socket::connect_and_hello(&ann, json!({&bobs: 0, "role:kings": 0})).await;
    let own = format!("user:{}", ann.id().await);
    let feeds: Vec<_> = welcome["feeds"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(feeds, ["role:clients", own.as_str()]);
    let codes = [socket.next().await, socket.next().await]
        .map(|frame| (frame["feed"].clone(), frame["code"].clone()));
    assert_eq!(
        codes,
        [(json!("role:kings"), json!("not_found")), (json!(bobs), json!("forbidden"))]
    );
}

#[tokio::test]
async fn expired_entries_are_reported_over_http_and_over_the_socket() {
    let cloud = shared_cloud();
    let order = TestOrder::in_status(cloud, "delivered").await;
    let own = format!("user:{}", order.client.id().await);
    let path = format!("/live/feed?feed={own}");
    eventually("three entries", async || {
        (order.client.api.get(&path).await.expect_status(200)["last"] == 3).then_some(())
    })
    .await;
    let table = cloud.table().await;
    let first = json!({"pk": {"S": format!("ENTRIES#{own}")}, "sk": {"S": format!("{:020}", 1)}});
    cloud.dynamodb("DeleteItem", json!({"TableName": table, "Key": first})).await;
    let feed = order.client.api.get(&path).await.expect_status(200);
    assert_eq!((&feed["missed"], &feed["last"]), (&json!([{"from": 1, "to": 1}]), &json!(3)));
    assert_eq!(
        feed["items"].as_array().unwrap().iter().map(|e| e["seq"].clone()).collect::<Vec<_>>(),
        [2, 3]
    );
    let (mut socket, _) = Socket::connect_and_hello(&order.client, json!({&own: 0})).await;
    let error = socket.next().await;
    assert_eq!(
        (&error["code"], &error["feed"], &error["oldest"]),
        (&json!("feed_number_too_old"), &json!(own), &json!(2))
    );
    assert_eq!([socket.next().await["seq"].clone(), socket.next().await["seq"].clone()], [2, 3]);
}
