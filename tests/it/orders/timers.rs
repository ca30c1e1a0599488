//! The `orders-timers` function: what happens to an order when nobody acts in time.

use std::sync::OnceLock;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{
    Cloud, Job, People, Socket, User, body, client, pay, place, service, unique, until,
    until_payment, worker,
};

fn short(timer: &str) -> Cloud {
    let value = format!("ORDER_{}_SECONDS=1", timer.to_uppercase());
    Cloud::start(&format!("timers-{timer}"), &["--ephemeral", "--env", &value])
}

/// Where an order that is not paid in a second expires.
fn impatient() -> &'static Cloud {
    static CLOUD: OnceLock<Cloud> = OnceLock::new();
    CLOUD.get_or_init(|| short("unpaid"))
}

/// Runs the timers, as the schedule does, until this order is in this state.
async fn fire_until(cloud: &Cloud, user: &User, order: &str, status: &str) -> Value {
    for _ in 0..100 {
        let report = cloud.invoke("orders-timers", json!({})).await;
        assert_eq!(report["failed"], 0, "{report:#}");
        let read = user.api.get(&format!("/orders/{order}")).await.expect(200);
        if read["status"] == status {
            return read;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("order {order} did not become {status}");
}

/// Waits until this order's deadline has passed, by the clock that set it: its own timers are not
/// run.
async fn due(user: &User, order: &str) {
    let read = user.api.get(&format!("/orders/{order}")).await.expect(200);
    assert!(read["deadline"].is_string(), "{read:#}");
    tokio::time::sleep(Duration::from_millis(1100)).await;
}

async fn last_event(user: &User, order: &str) -> Value {
    let events = user.api.get(&format!("/orders/{order}/events")).await.expect(200);
    events["items"].as_array().expect("items").last().expect("an event").clone()
}

#[tokio::test]
async fn an_unpaid_order_expires_and_can_no_longer_be_paid() {
    let cloud = impatient();
    let client = client(cloud).await;
    let service = service(cloud, "unpaid").await;
    let (order, other) = (place(&client, &service).await, place(&client, &service).await);
    let payment = client.api.post(&format!("/orders/{order}/payment"), json!({})).await.expect(200);
    let (mut socket, _) = Socket::hello(&client, json!({})).await;

    let expired = fire_until(cloud, &client, &order, "canceled").await;
    assert_eq!(
        (&expired["payment_status"], &expired["deadline"]),
        (&json!("unpaid"), &Value::Null)
    );
    fire_until(cloud, &client, &other, "canceled").await;
    assert_eq!(socket.entry("order.canceled", &order).await["data"]["status"], "canceled");

    let intent = payment["payment_intent_id"].as_str().expect("an intent");
    let stripe = cloud.stripe().bearer("sk_test_local");
    for attempt in 0.. {
        let status =
            stripe.get(&format!("/v1/payment_intents/{intent}")).await.expect(200)["status"]
                .clone();
        if status == "canceled" {
            break;
        }
        assert!(attempt < 100, "the intent is still {status}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(pay(cloud, &client, &order, "pm_card_visa").await["status"], 400);
    client
        .api
        .post(&format!("/orders/{other}/payment"), json!({}))
        .await
        .problem(409, "order_not_payable");
    // What has been done is not done again.
    let version = client.api.get(&format!("/orders/{other}")).await.expect(200)["version"].clone();
    cloud.invoke("orders-timers", json!({})).await;
    assert_eq!(client.api.get(&format!("/orders/{other}")).await.expect(200)["version"], version);
    let event = last_event(&client, &other).await;
    assert_eq!((&event["type"], &event["actor"]), (&json!("expire"), &json!({"kind": "timer"})));
}

#[tokio::test]
async fn a_timer_of_a_state_the_order_has_left_does_nothing() {
    let cloud = impatient();
    let (client, worker) = (client(cloud).await, worker(cloud, &[]).await);
    let order = crate::support::open_order(cloud, &client, &unique("paid ")).await;
    worker.api.post(&format!("/orders/{order}/accept"), json!({})).await.expect(200);
    // Two at once, well past the time to pay.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    futures::join!(
        cloud.invoke("orders-timers", json!({})),
        cloud.invoke("orders-timers", json!({}))
    );
    let read = client.api.get(&format!("/orders/{order}")).await.expect(200);
    assert_eq!((&read["status"], &read["deadline"]), (&json!("assigned"), &Value::Null));
}

/// Stripe's word that it is paid, and the timer, in the same instant.
#[tokio::test]
async fn an_order_paid_as_it_expires_is_either_open_or_refunded() {
    let cloud = impatient();
    let client = client(cloud).await;
    let service = service(cloud, "paid or expired").await;
    for _ in 0..6 {
        let order = place(&client, &service).await;
        client.api.post(&format!("/orders/{order}/payment"), json!({})).await.expect(200);
        due(&client, &order).await;
        let (paid, _) = futures::join!(
            pay(cloud, &client, &order, "pm_card_visa"),
            cloud.invoke("orders-timers", json!({}))
        );
        if paid["status"] != 200 {
            until(&client, &order, "canceled").await;
            continue;
        }
        let mut settled = Value::Null;
        for _ in 0..100 {
            settled = client.api.get(&format!("/orders/{order}")).await.expect(200);
            if settled["status"] == "open" || settled["payment_status"] == "refunded" {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let payment = client.api.get(&format!("/orders/{order}/payment")).await.expect(200);
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
    let cloud = &short("unclaimed");
    let (client, worker) = (client(cloud).await, worker(cloud, &[]).await);
    let order = crate::support::open_order(cloud, &client, "unclaimed").await;
    fire_until(cloud, &client, &order, "canceled").await;
    until_payment(&client, &order, "refunded").await;
    let feed =
        client.api.get(&format!("/live/feed?feed=user:{}", client.id().await)).await.expect(200);
    let told: Vec<_> = feed["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|entry| entry["type"].clone())
        .collect();
    assert!(told.contains(&json!("order.canceled")), "{told:?}");
    worker
        .api
        .post(&format!("/orders/{order}/accept"), json!({}))
        .await
        .problem(409, "illegal_transition");

    for _ in 0..6 {
        let order = crate::support::open_order(cloud, &client, "unclaimed").await;
        due(&client, &order).await;
        let accept = format!("/orders/{order}/accept");
        let (accepted, _) = futures::join!(
            worker.api.post(&accept, json!({})),
            cloud.invoke("orders-timers", json!({}))
        );
        if accepted.status == 200 {
            cloud.invoke("orders-timers", json!({})).await;
            assert_eq!(
                client.api.get(&format!("/orders/{order}")).await.expect(200)["status"],
                "assigned"
            );
            let problem = client.api.post(&format!("/orders/{order}/cancel"), body("cancel")).await;
            problem.problem(409, "illegal_transition");
        } else {
            assert_eq!(accepted.problem(409, "illegal_transition")["order_status"], "canceled");
            until_payment(&client, &order, "refunded").await;
        }
    }
}

#[tokio::test]
async fn an_unreviewed_delivery_completes_the_order_unless_it_is_disputed_first() {
    let cloud = &short("unreviewed");
    let people = People::new(cloud).await;
    let job = Job::of(cloud, &people, "assigned").await;
    let (mut socket, _) = Socket::hello(&job.worker, json!({})).await;
    job.moves(&job.worker, "deliver").await;
    let completed = fire_until(cloud, &job.client, &job.id, "completed").await;
    assert_eq!((&completed["payment_status"], &completed["actions"]), (&json!("paid"), &json!([])));
    assert_eq!(socket.entry("order.completed", &job.id).await["data"]["status"], "completed");
    let event = last_event(&job.client, &job.id).await;
    assert_eq!((&event["type"], &event["actor"]), (&json!("complete"), &json!({"kind": "timer"})));

    for _ in 0..3 {
        let job = Job::of(cloud, &people, "assigned").await;
        job.moves(&job.worker, "deliver").await;
        due(&job.client, &job.id).await;
        let dispute = job.path("dispute");
        let (disputed, _) = futures::join!(
            job.client.api.post(&dispute, body("dispute")),
            cloud.invoke("orders-timers", json!({}))
        );
        let status = job.read(&job.client).await["status"].clone();
        if disputed.status == 200 {
            assert_eq!(status, "disputed");
        } else {
            assert_eq!(disputed.problem(409, "illegal_transition")["order_status"], "completed");
            assert_eq!(status, "completed");
        }
    }
}
