//! `GET /orders/{id}/events`.

use serde_json::{Value, json};

use crate::support::{TestOrder, admin, new_client, new_worker, shared_cloud};

#[tokio::test]
async fn the_history_records_every_transition_and_its_actor() {
    let cloud = shared_cloud();
    let order = TestOrder::in_status(cloud, "assigned").await;
    let (second, admin) = (new_worker(cloud, &[]).await, admin(cloud).await);
    let note = json!({"note": "I am ill."});
    let released = order.worker.api.post(&order.path("release"), note).await.expect_status(200);
    assert_eq!((&released["status"], &released["worker"]), (&json!("open"), &Value::Null));
    order.transition(&second, "accept").await;
    order.transition(&second, "deliver").await;
    order.transition(&order.client, "request-revision").await;
    order.transition(&second, "deliver").await;
    order.transition(&order.client, "dispute").await;
    let decided = json!({"outcome": "release", "note": "It is what was ordered."});
    let completed = admin.api.post(&order.path("resolve"), decided).await.expect_status(200);
    assert_eq!(
        (&completed["status"], &completed["payment_status"]),
        (&json!("completed"), &json!("paid"))
    );

    let events = order.client.api.get(&order.path("events")).await;
    let etag = events.header("etag").expect("an etag").to_owned();
    let events = events.expect_status(200);
    assert_eq!(events["next_cursor"], Value::Null);
    let items = events["items"].as_array().expect("items");
    let numbers: Vec<_> =
        items.iter().map(|event| event["n"].as_u64().expect("a number")).collect();
    assert_eq!(
        numbers,
        (1..=completed["version"].as_u64().expect("a version")).collect::<Vec<_>>()
    );
    let types_and_actors: Vec<_> = items
        .iter()
        .map(|event| {
            (
                event["type"].as_str().expect("a type"),
                event["actor"]["kind"].as_str().expect("a kind"),
            )
        })
        .collect();
    assert_eq!(
        types_and_actors,
        [
            ("place", "client"),
            ("payment_started", "client"),
            ("pay", "stripe"),
            ("accept", "worker"),
            ("release", "worker"),
            ("accept", "worker"),
            ("deliver", "worker"),
            ("request_revision", "client"),
            ("deliver", "worker"),
            ("dispute", "client"),
            ("resolve_release", "admin"),
        ]
    );
    assert_eq!((&items[4]["note"], &items[4]["worker"]), (&json!("I am ill."), &Value::Null));
    assert_eq!(items[5]["actor"]["username"], second.username.as_str());
    assert_eq!(items[9]["note"], "For a reason.");
    assert!(items.iter().all(|event| event.get("idempotency").is_none()));
    let again =
        order.client.api.with_header("if-none-match", &etag).get(&order.path("events")).await;
    assert_eq!((again.status.as_u16(), again.header("etag")), (304, Some(etag.as_str())));

    // The worker sees all events except the client's payment steps. The former worker and strangers
    // see none.
    let seen = second.api.get(&order.path("events")).await.expect_status(200);
    let seen: Vec<_> =
        seen["items"].as_array().expect("items").iter().map(|event| event["n"].clone()).collect();
    assert_eq!(seen, (1..=11).filter(|n| *n != 2).map(Value::from).collect::<Vec<_>>());
    admin.api.get(&order.path("events")).await.expect_status(200);
    for stranger in [&order.worker, &new_client(cloud).await] {
        stranger.api.get(&order.path("events")).await.problem(404, "not_found");
    }
}

#[tokio::test]
async fn workers_see_an_open_order_but_not_its_history() {
    let order = TestOrder::in_status(shared_cloud(), "open").await;
    order.read(&order.worker).await;
    order.worker.api.get(&order.path("events")).await.problem(404, "not_found");
}
