//! The log: every line about an order has the order's id as a field, in every function.

use serde_json::json;

use crate::support::{
    Parties, Socket, TestOrder, eventually, new_client, shared_cloud, until_status,
};

#[tokio::test]
async fn every_function_logs_the_order_that_it_works_on() {
    let cloud = shared_cloud();
    let parties = Parties::new(cloud).await;
    let stranger = new_client(cloud).await;
    let (mut socket, _) = Socket::connect_and_hello(&parties.client, json!({})).await;
    let order = TestOrder::between(cloud, &parties, "assigned").await;
    order.client.api.post(&order.path("messages"), json!({"text": "Hi"})).await.expect_status(201);
    // Refusals: no token, not found for this caller, not allowed in this status.
    cloud.client().get(&format!("/orders/{}", order.id)).await.expect_status(401);
    stranger.api.get(&format!("/orders/{}", order.id)).await.expect_status(404);
    order.client.api.post(&order.path("complete"), json!({})).await.expect_status(409);
    order.transition(&order.worker, "deliver").await;
    order.client.api.post(&order.path("complete"), json!({})).await.expect_status(200);
    until_status(&order.client, &order.id, "completed").await;
    socket.next_entry("order.completed", &order.id).await;

    let field = format!(" order={}", order.id);
    let lines = || {
        let log = cloud.log_text();
        log.lines().filter(|line| line.contains(&field)).map(str::to_owned).collect::<Vec<_>>()
    };
    for expected in [
        "orders-create",
        "payments-create",
        "webhooks-stripe",
        "payments-apply",
        "live-notify",
        "orders-accept",
        "messages-send",
        "orders-deliver",
        "orders-complete",
    ] {
        eventually(&format!("{expected} logs the order"), async || {
            lines().iter().any(|line| line.contains(&format!(" {expected} "))).then_some(())
        })
        .await;
    }
    let lines = lines();
    for refusal in [" 401 ", " 404 ", " 409 "] {
        assert!(lines.iter().any(|line| line.contains(refusal)), "{refusal}: {lines:#?}");
    }
    let user =
        format!(" user={}", order.read(&order.client).await["client"]["id"].as_str().unwrap());
    assert!(lines.iter().any(|line| line.contains(" 409 ") && line.contains(&user)), "{lines:#?}");
}

#[tokio::test]
async fn an_item_has_the_traceparent_of_the_invocation_that_wrote_it() {
    let cloud = shared_cloud();
    let order = TestOrder::in_status(cloud, "pending").await;
    let key = json!({"pk": {"S": format!("ORDER#{}", order.id)}, "sk": {"S": "ORDER"}});
    let read = json!({"TableName": cloud.table().await, "Key": key});
    let item = cloud.dynamodb("GetItem", read).await;
    let traceparent = item["Item"]["traceparent"]["S"].as_str().expect("a traceparent");
    let parts: Vec<_> = traceparent.split('-').map(str::len).collect();
    assert_eq!(parts, [2, 32, 16, 2], "{traceparent}");
}
