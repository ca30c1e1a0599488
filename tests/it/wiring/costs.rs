//! What the stack costs at AWS: what a month, an order and a socket use is counted on a local cloud
//! and multiplied by AWS's prices. docs/costs.md shows the result.

mod meter;
mod report;
mod template;
mod usage;

use futures::future::join;
use serde_json::json;

use self::meter::Meter;
use self::report::{check_or_update, document};
use self::template::runs_per_hour;
use self::usage::{Item, Usage};
use crate::support::{Cloud, Socket, admin, new_client, new_worker, pay, price, until_status};

/// Hours in a month of 365/12 days.
const HOURS_PER_MONTH: f64 = 730.0;

#[tokio::test]
async fn the_costs_are_computed_from_counted_requests_and_pushes() {
    super::update_sources();
    let mut meter = Meter::new(Cloud::start("costs", &["--ephemeral"]));
    let idle = idle_month(&mut meter).await;
    let order = order(&mut meter).await;
    let hour = connected_hour(&mut meter).await;
    check_or_update(&document(&idle, &order, &hour));
}

/// A month in which nobody calls the stack: only its schedules run.
async fn idle_month(meter: &mut Meter) -> Usage {
    let mut month = meter.template.fixed();
    let functions = meter.template.functions.iter();
    let scheduled = functions.map(|function| (function.name.clone(), runs_per_hour(function)));
    let scheduled: Vec<_> = scheduled.filter(|(_, runs)| *runs > 0.0).collect();
    assert!(!scheduled.is_empty());
    for (function, runs_per_hour) in scheduled {
        let run = meter
            .measure(async |cloud| {
                cloud.invoke(&function, json!({})).await;
                0
            })
            .await;
        month = month + run * (runs_per_hour * HOURS_PER_MONTH);
    }
    month
}

/// An order from the catalogue to its completion, with both parties connected.
async fn order(meter: &mut Meter) -> Usage {
    let (admin, client, worker) = (
        admin(&meter.cloud).await,
        new_client(&meter.cloud).await,
        new_worker(&meter.cloud, &["garden"]).await,
    );
    let service = json!({
        "name": "Lawn", "description": "Mown.", "category": "garden", "price": price(1999),
    });
    let service = admin.api.post("/services", service).await.expect_status(201);
    let service = service["id"].as_str().expect("an id");
    let ((mut clients, _), (mut workers, _)) = join(
        Socket::connect_and_hello(&client, json!({})),
        Socket::connect_and_hello(&worker, json!({})),
    )
    .await;

    meter
        .measure(async |cloud| {
            for user in [&client, &worker] {
                let fields = [
                    ("grant_type", "password"),
                    ("username", &user.username),
                    ("password", &user.password),
                ];
                cloud.client().form("/auth/token", &fields).await.expect_status(200);
            }
            client.api.get("/services").await.expect_status(200);
            client.api.get(&format!("/services/{service}")).await.expect_status(200);
            let order =
                client.api.post("/orders", json!({"service_id": service})).await.expect_status(201);
            let id = order["id"].as_str().expect("an id");
            let path = format!("/orders/{id}");
            pay(cloud, &client, id, "pm_card_visa").await;
            client.api.post(&format!("{path}/payment/confirm"), json!({})).await.expect_status(200);
            until_status(&client, id, "open").await;
            worker.api.get("/orders/open").await.expect_status(200);
            worker.api.post(&format!("{path}/accept"), json!({})).await.expect_status(200);
            for user in [&client, &worker] {
                let text = json!({"text": "Which day suits you? Saturday would be best for me."});
                user.api.post(&format!("{path}/messages"), text).await.expect_status(201);
                user.api.get(&format!("{path}/messages")).await.expect_status(200);
                user.api.get(&path).await.expect_status(200);
            }
            worker.api.post(&format!("{path}/deliver"), json!({})).await.expect_status(200);
            client.api.post(&format!("{path}/complete"), json!({})).await.expect_status(200);
            workers.next_entry("order.completed", id).await;
            clients.frames_until_silent().await + workers.frames_until_silent().await
        })
        .await
}

/// A socket that stays connected for an hour in which nothing happens. It is opened every two
/// hours, because API Gateway closes it then, and pings every four minutes, as web/live.js does.
async fn connected_hour(meter: &mut Meter) -> Usage {
    let user = new_client(&meter.cloud).await;
    let opened = meter
        .measure(async |_| {
            let (socket, _) = Socket::connect_and_hello(&user, json!({})).await;
            socket.close().await;
            2
        })
        .await;
    let (mut socket, _) = Socket::connect_and_hello(&user, json!({})).await;
    let ping = meter
        .measure(async |_| {
            socket.assert_open().await;
            2
        })
        .await;
    opened * 0.5 + ping * 15.0 + Usage::of([(Item::ConnectionMinutes, 60.0)])
}
