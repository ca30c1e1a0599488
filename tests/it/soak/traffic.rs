//! A steady stream of orders, each from placement to completion, and occasional broadcasts.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Plan;
use super::counters::Counters;
use super::crowd::{Crowd, Person};
use super::killer::{due, random};
use crate::support::{Client, Cloud, unique};

/// The entries that must be in the feeds in the end.
#[derive(Default)]
pub struct Caused {
    /// Completed orders with client, worker and category.
    pub orders: Vec<(String, Arc<Person>, Arc<Person>, usize)>,
    /// Messages with their recipient.
    pub messages: Vec<(String, Arc<Person>)>,
    /// Broadcasts with their feed.
    pub broadcasts: Vec<(String, &'static str)>,
}

/// Places orders and sends broadcasts at the rates of the plan, and returns what they caused.
pub async fn run(
    cloud: Arc<Cloud>,
    crowd: Arc<Crowd>,
    plan: Plan,
    counters: Arc<Counters>,
    until: Instant,
) -> Caused {
    let caused = Arc::new(Mutex::new(Caused::default()));
    let mut tasks = tokio::task::JoinSet::new();
    let began = Instant::now();
    let (mut orders, mut broadcasts) = (0, 0);
    while Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(50)).await;
        while orders < due(began, plan.orders) {
            orders += 1;
            let (cloud, crowd, caused, counters) =
                (cloud.clone(), crowd.clone(), caused.clone(), counters.clone());
            tasks.spawn(async move { complete_order(&cloud, &crowd, &caused, &counters).await });
        }
        // Broadcasts to each role in turn. The limit is ten a minute.
        while broadcasts < due(began, 1.0 / 7.0) {
            let (role, feed) =
                [("worker", "role:workers"), ("client", "role:clients")][broadcasts % 2];
            broadcasts += 1;
            if let Some(id) = crowd.broadcast(&cloud, role).await {
                caused.lock().unwrap().broadcasts.push((id, feed));
            }
        }
    }
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended {
            counters.violation(format!("an order was not completed: {error}"));
        }
    }
    std::mem::take(&mut *caused.lock().unwrap())
}

/// Places one order and takes it to completion.
async fn complete_order(cloud: &Cloud, crowd: &Crowd, caused: &Mutex<Caused>, counters: &Counters) {
    let (clients, category) = (crowd.clients(), random(crowd.categories.len()));
    let workers = crowd.workers(category);
    let (client, worker) = (&clients[random(clients.len())], &workers[random(workers.len())]);
    let send = async |person: &Arc<Person>, path: &str, body: Value| {
        // Retries have the same idempotency key, so nothing is done twice.
        let key = unique("key");
        for _ in 0..200 {
            let answer = person
                .api()
                .await
                .with_header("idempotency-key", &key)
                .post(path, body.clone())
                .await;
            match answer.status.as_u16() {
                200..=299 => return answer.body,
                401 => person.renew(cloud).await,
                // The order is not open yet, another request came first, or a function was killed.
                404 | 409 | 412 | 429 | 500..=599 => {
                    counters.retries.fetch_add(1, Relaxed);
                    tokio::time::sleep(Duration::from_millis(300)).await;
                }
                _ => panic!("{path}: {}", answer.body),
            }
        }
        panic!("{path} kept failing")
    };
    let order = send(client, "/orders", json!({"service_id": crowd.categories[category].1})).await;
    let id = order["id"].as_str().unwrap().to_owned();
    let payment = send(client, &format!("/orders/{id}/payment"), json!({})).await;
    pay(cloud, &payment).await;
    send(worker, &format!("/orders/{id}/accept"), json!({})).await;
    for (from, to) in [(client, worker), (worker, client)] {
        let message =
            send(from, &format!("/orders/{id}/messages"), json!({"text": "How is it going?"}))
                .await;
        caused
            .lock()
            .unwrap()
            .messages
            .push((message["id"].as_str().unwrap().to_owned(), to.clone()));
    }
    send(worker, &format!("/orders/{id}/deliver"), json!({})).await;
    send(client, &format!("/orders/{id}/complete"), json!({})).await;
    counters.orders.fetch_add(1, Relaxed);
    caused.lock().unwrap().orders.push((id, client.clone(), worker.clone(), category));
}

/// Pays at the Stripe stand-in as a browser does.
async fn pay(cloud: &Cloud, payment: &Value) {
    let text = |name: &str| payment[name].as_str().unwrap().to_owned();
    let stripe: Client = cloud.stripe().bearer(&text("publishable_key"));
    let fields = [("payment_method", "pm_card_visa"), ("client_secret", &text("client_secret"))];
    stripe
        .form(&format!("/v1/payment_intents/{}/confirm", text("payment_intent_id")), &fields)
        .await
        .expect_status(200);
}
