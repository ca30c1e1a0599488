//! The `orders-timers` function: what happens to an order when nobody acts in time.
//!
//! Timers run for minutes to days. Instead of waiting for them, the tests move the stored deadline
//! of an order into the past.

use serde_json::{Value, json};

use crate::support::{
    Cloud, Parties, Socket, TestOrder, eventually, new_worker, pay, shared_cloud, transition_body,
    until_order, until_payment_status, until_status,
};

/// A time before every deadline, as it is stored.
const PAST: &str = "2020-01-01T00:00:00.000000Z";

/// Moves the order's deadline into the past. Panics if it has no deadline.
async fn expire(cloud: &Cloud, order: &TestOrder) {
    assert!(order.read(&order.client).await["deadline"].is_string(), "{} has no timer", order.id);
    store_as_due(cloud, order, "SET doc.deadline = :past, gsi5pk = :pk, gsi5sk = :sk").await;
}

/// Gives the stored order the index keys of an overdue deadline, so that the timers find it.
async fn store_as_due(cloud: &Cloud, order: &TestOrder, update: &str) {
    let mut values = json!({
        ":pk": {"S": "TIMER#0"}, ":sk": {"S": format!("{PAST}#{}", order.id)},
    });
    if update.contains(":past") {
        values[":past"] = json!({"S": PAST});
    }
    let update = json!({
        "TableName": cloud.table().await,
        "Key": {"pk": {"S": format!("ORDER#{}", order.id)}, "sk": {"S": "ORDER"}},
        "UpdateExpression": update,
        "ExpressionAttributeValues": values,
    });
    cloud.dynamodb("UpdateItem", update).await;
}

/// Moves the order's deadline into the past and runs the timers, until the order has this status.
/// The deadline is moved each time, because a write of the order in between restores it.
async fn expire_until(cloud: &Cloud, order: &TestOrder, status: &str) -> Value {
    eventually(&format!("order {} is {status}", order.id), async || {
        let read = order.read(&order.client).await;
        if read["status"] == status {
            return Some(read);
        }
        expire(cloud, order).await;
        run(cloud).await;
        None
    })
    .await
}

/// Runs the timers once. Panics if an order failed.
async fn run(cloud: &Cloud) {
    cloud.invoke("orders-timers", json!({})).await;
}

#[tokio::test]
async fn an_unpaid_order_expires_and_can_no_longer_be_paid() {
    let cloud = shared_cloud();
    let parties = Parties::new(cloud).await;
    let order = TestOrder::between(cloud, &parties, "pending").await;
    let other = TestOrder::between(cloud, &parties, "pending").await;
    let client = &order.client;
    let payment = client.api.post(&order.path("payment"), json!({})).await.expect_status(200);
    let (mut socket, _) = Socket::connect_and_hello(client, json!({})).await;

    let expired = expire_until(cloud, &order, "canceled").await;
    assert_eq!(
        (&expired["payment_status"], &expired["deadline"]),
        (&json!("unpaid"), &Value::Null)
    );
    expire_until(cloud, &other, "canceled").await;
    assert_eq!(socket.next_entry("order.canceled", &order.id).await["data"]["status"], "canceled");

    let intent = payment["payment_intent_id"].as_str().expect("an intent");
    let stripe = cloud.stripe().bearer("sk_test_local");
    eventually("the intent is canceled", async || {
        let intent = stripe.get(&format!("/v1/payment_intents/{intent}")).await.expect_status(200);
        (intent["status"] == "canceled").then_some(())
    })
    .await;
    assert_eq!(pay(cloud, client, &order.id, "pm_card_visa").await["status"], 400);
    client.api.post(&other.path("payment"), json!({})).await.problem(409, "order_not_payable");

    // Another run does not repeat anything.
    let version = other.read(client).await["version"].clone();
    run(cloud).await;
    assert_eq!(other.read(client).await["version"], version);
    let event = other.last_event().await;
    assert_eq!((&event["type"], &event["actor"]), (&json!("expire"), &json!({"kind": "timer"})));
}

/// The index may still list an order that has left the state whose timer was due.
#[tokio::test]
async fn a_timer_of_a_state_the_order_has_left_does_nothing() {
    let cloud = shared_cloud();
    let order = TestOrder::in_status(cloud, "assigned").await;
    let before = order.read(&order.client).await;
    store_as_due(cloud, &order, "SET gsi5pk = :pk, gsi5sk = :sk").await;
    // Two runs at once.
    futures::join!(run(cloud), run(cloud));
    let read = order.read(&order.client).await;
    assert_eq!((&read["status"], &read["deadline"]), (&json!("assigned"), &Value::Null));
    assert_eq!(read, before);
}

#[tokio::test]
async fn an_order_paid_as_it_expires_is_either_open_or_refunded() {
    let cloud = shared_cloud();
    let parties = Parties::new(cloud).await;
    for _ in 0..6 {
        let order = TestOrder::between(cloud, &parties, "pending").await;
        let client = &order.client;
        client.api.post(&order.path("payment"), json!({})).await.expect_status(200);
        expire(cloud, &order).await;
        let (paid, ()) = futures::join!(pay(cloud, client, &order.id, "pm_card_visa"), run(cloud));
        if paid["status"] != 200 {
            until_status(client, &order.id, "canceled").await;
            continue;
        }
        let settled = until_order(client, &order.id, "open or refunded", |order| {
            order["status"] == "open" || order["payment_status"] == "refunded"
        })
        .await;
        let payment = client.api.get(&order.path("payment")).await.expect_status(200);
        match settled["status"].as_str() {
            Some("open") => assert_eq!(payment["balance"]["amount"], 1999),
            Some("canceled") => {
                assert_eq!(
                    (&settled["payment_status"], &payment["balance"]["amount"]),
                    (&json!("refunded"), &json!(0))
                )
            }
            _ => panic!("{settled:#}"),
        }
    }
}

#[tokio::test]
async fn an_unclaimed_order_expires_and_is_refunded() {
    let cloud = shared_cloud();
    let order = TestOrder::in_status(cloud, "open").await;
    let client = &order.client;
    expire_until(cloud, &order, "canceled").await;
    until_payment_status(client, &order.id, "refunded").await;
    let feed = client
        .api
        .get(&format!("/live/feed?feed=user:{}", client.id().await))
        .await
        .expect_status(200);
    let types: Vec<_> = feed["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|entry| entry["type"].clone())
        .collect();
    assert!(types.contains(&json!("order.canceled")), "{types:?}");
    order
        .worker
        .api
        .post(&order.path("accept"), json!({}))
        .await
        .problem(409, "illegal_transition");
}

#[tokio::test]
async fn an_order_accepted_as_it_expires_is_either_assigned_or_refunded() {
    let cloud = shared_cloud();
    let (parties, worker) = (Parties::new(cloud).await, new_worker(cloud, &[]).await);
    for _ in 0..6 {
        let order = TestOrder::between(cloud, &parties, "open").await;
        let client = &order.client;
        expire(cloud, &order).await;
        let accept = order.path("accept");
        let (accepted, ()) = futures::join!(worker.api.post(&accept, json!({})), run(cloud));
        if accepted.status == 200 {
            run(cloud).await;
            assert_eq!(order.read(client).await["status"], "assigned");
            let cancel = client.api.post(&order.path("cancel"), transition_body("cancel")).await;
            cancel.problem(409, "illegal_transition");
        } else {
            assert_eq!(accepted.problem(409, "illegal_transition")["order_status"], "canceled");
            until_payment_status(client, &order.id, "refunded").await;
        }
    }
}

#[tokio::test]
async fn an_unreviewed_delivery_completes_the_order_unless_it_is_disputed_first() {
    let cloud = shared_cloud();
    let parties = Parties::new(cloud).await;
    let order = TestOrder::between(cloud, &parties, "assigned").await;
    let (mut socket, _) = Socket::connect_and_hello(&order.worker, json!({})).await;
    order.transition(&order.worker, "deliver").await;
    let completed = expire_until(cloud, &order, "completed").await;
    assert_eq!((&completed["payment_status"], &completed["actions"]), (&json!("paid"), &json!([])));
    let entry = socket.next_entry("order.completed", &order.id).await;
    assert_eq!(entry["data"]["status"], "completed");
    let event = order.last_event().await;
    assert_eq!((&event["type"], &event["actor"]), (&json!("complete"), &json!({"kind": "timer"})));

    for _ in 0..3 {
        let order = TestOrder::between(cloud, &parties, "delivered").await;
        expire(cloud, &order).await;
        let dispute = order.path("dispute");
        let (disputed, ()) =
            futures::join!(order.client.api.post(&dispute, transition_body("dispute")), run(cloud));
        let status = order.read(&order.client).await["status"].clone();
        if disputed.status == 200 {
            assert_eq!(status, "disputed");
        } else {
            assert_eq!(disputed.problem(409, "illegal_transition")["order_status"], "completed");
            assert_eq!(status, "completed");
        }
    }
}

#[tokio::test]
async fn deadlines_are_as_long_as_the_template_says() {
    let cloud = shared_cloud();
    let parties = Parties::new(cloud).await;
    for (status, hours) in [("pending", 0.5), ("open", 7.0 * 24.0), ("delivered", 3.0 * 24.0)] {
        let order = TestOrder::between(cloud, &parties, status).await;
        let read = order.read(&order.client).await;
        let time = |name: &str| read[name].as_str().expect(name).parse::<jiff::Timestamp>();
        let runs = time("deadline").unwrap().duration_since(jiff::Timestamp::now());
        let difference = runs.as_secs_f64() / 3600.0 - hours;
        assert!(difference.abs() < 0.1, "{status}: {difference} hours more than {hours}");
    }
}

#[tokio::test]
#[ignore = "waits for the schedule, which may take a minute"]
async fn the_schedule_expires_an_unpaid_order() {
    let cloud = shared_cloud();
    let order = TestOrder::in_status(cloud, "pending").await;
    expire(cloud, &order).await;
    until_status(&order.client, &order.id, "canceled").await;
}
