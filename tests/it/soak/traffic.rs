//! A steady stream of orders, each with everything that happens to one, and now and then a word to
//! everybody.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Plan;
use super::crowd::{Crowd, Person};
use super::killer::{due, random};
use super::numbers::Numbers;
use crate::support::{Client, Cloud, unique};

/// What must be in the feeds in the end.
#[derive(Default)]
pub struct Told {
    /// Orders that were completed, with their client, their worker and their trade.
    pub orders: Vec<(String, Arc<Person>, Arc<Person>, usize)>,
    /// Messages, with the one they are for.
    pub messages: Vec<(String, Arc<Person>)>,
    /// Broadcasts, with the feed they are in.
    pub broadcasts: Vec<(String, &'static str)>,
}

pub async fn run(
    cloud: Arc<Cloud>,
    crowd: Arc<Crowd>,
    plan: Plan,
    numbers: Arc<Numbers>,
    until: Instant,
) -> Told {
    let told = Arc::new(Mutex::new(Told::default()));
    let mut tasks = tokio::task::JoinSet::new();
    let began = Instant::now();
    let (mut orders, mut broadcasts) = (0, 0);
    while Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(50)).await;
        while orders < due(began, plan.orders) {
            orders += 1;
            let (cloud, crowd, told, numbers) =
                (cloud.clone(), crowd.clone(), told.clone(), numbers.clone());
            tasks.spawn(async move { one(&cloud, &crowd, &told, &numbers).await });
        }
        // One to each role in turn; ten a minute are allowed.
        while broadcasts < due(began, 1.0 / 7.0) {
            let (role, feed) =
                [("worker", "role:workers"), ("client", "role:clients")][broadcasts % 2];
            broadcasts += 1;
            if let Some(id) = crowd.broadcast(&cloud, role).await {
                told.lock().unwrap().broadcasts.push((id, feed));
            }
        }
    }
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended {
            numbers.wrong(format!("an order's story broke off: {error}"));
        }
    }
    std::mem::take(&mut *told.lock().unwrap())
}

/// One order, from being placed to being completed.
async fn one(cloud: &Cloud, crowd: &Crowd, told: &Mutex<Told>, numbers: &Numbers) {
    let (clients, trade) = (crowd.clients(), random(crowd.trades.len()));
    let workers = crowd.workers(trade);
    let (client, worker) = (&clients[random(clients.len())], &workers[random(workers.len())]);
    let ask = async |person: &Arc<Person>, path: &str, body: Value| {
        // The same request has the same key: what was done is not done again.
        let key = unique("key");
        for _ in 0..200 {
            let answer =
                person.api().await.with("idempotency-key", &key).post(path, body.clone()).await;
            match answer.status.as_u16() {
                200..=299 => return answer.body,
                401 => person.renew(cloud).await,
                // It is not open yet, it is somebody else's turn, or a function was killed.
                404 | 409 | 412 | 429 | 500..=599 => {
                    numbers.retries.fetch_add(1, Relaxed);
                    tokio::time::sleep(Duration::from_millis(300)).await;
                }
                _ => panic!("{path}: {}", answer.body),
            }
        }
        panic!("{path} is never done")
    };
    let order = ask(client, "/orders", json!({"service_id": crowd.trades[trade].1})).await;
    let id = order["id"].as_str().unwrap().to_owned();
    let payment = ask(client, &format!("/orders/{id}/payment"), json!({})).await;
    pay(cloud, &payment).await;
    ask(worker, &format!("/orders/{id}/accept"), json!({})).await;
    for (from, to) in [(client, worker), (worker, client)] {
        let message =
            ask(from, &format!("/orders/{id}/messages"), json!({"text": "How is it going?"})).await;
        told.lock()
            .unwrap()
            .messages
            .push((message["id"].as_str().unwrap().to_owned(), to.clone()));
    }
    ask(worker, &format!("/orders/{id}/deliver"), json!({})).await;
    ask(client, &format!("/orders/{id}/complete"), json!({})).await;
    numbers.orders.fetch_add(1, Relaxed);
    told.lock().unwrap().orders.push((id, client.clone(), worker.clone(), trade));
}

/// As the browser does, at Stripe's stand-in.
async fn pay(cloud: &Cloud, payment: &Value) {
    let text = |name: &str| payment[name].as_str().unwrap().to_owned();
    let stripe: Client = cloud.stripe().bearer(&text("publishable_key"));
    let fields = [("payment_method", "pm_card_visa"), ("client_secret", &text("client_secret"))];
    stripe
        .form(&format!("/v1/payment_intents/{}/confirm", text("payment_intent_id")), &fields)
        .await
        .expect(200);
}
