//! Orders, brought into the state that a test is about by those who do that in life.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Cloud, User, client, service, unique, worker};

/// A client, a worker, and a service that the client can order: enough for any number of orders.
#[derive(Clone)]
pub struct People {
    pub client: User,
    pub worker: User,
    pub service: Value,
}

impl People {
    pub async fn new(cloud: &Cloud) -> Self {
        let (client, worker) = futures::join!(client(cloud), worker(cloud, &[]));
        Self { client, worker, service: service(cloud, &unique("Job ")).await }
    }
}

/// An order with its people.
pub struct Job {
    pub id: String,
    pub client: User,
    pub worker: User,
}

/// A new order of this service.
pub async fn place(client: &User, service: &Value) -> String {
    let order = client.api.post("/orders", json!({"service_id": service["id"]})).await.expect(201);
    order["id"].as_str().expect("an id").to_owned()
}

/// Pays an order's intent at Stripe's stand-in, as the browser does: with the publishable key and
/// the client secret.
pub async fn pay(cloud: &Cloud, client: &User, order: &str, card: &str) -> Value {
    let payment = client.api.post(&format!("/orders/{order}/payment"), json!({})).await.expect(200);
    let intent = payment["payment_intent_id"].as_str().expect("an intent").to_owned();
    let stripe = cloud.stripe().bearer(payment["publishable_key"].as_str().expect("a key"));
    let fields = [
        ("payment_method", card),
        ("client_secret", payment["client_secret"].as_str().expect("a secret")),
    ];
    let confirmed = stripe.form(&format!("/v1/payment_intents/{intent}/confirm"), &fields).await;
    json!({"payment": payment, "status": confirmed.status.as_u16(), "stripe": confirmed.body})
}

/// Waits until the order is in this state, as a client that polls would.
pub async fn until(user: &User, order: &str, status: &str) -> Value {
    until_it(user, order, status, |order| order["status"] == status).await
}

/// Waits until the order's payment is in this state.
pub async fn until_payment(user: &User, order: &str, status: &str) -> Value {
    until_it(user, order, status, |order| order["payment_status"] == status).await
}

async fn until_it(user: &User, order: &str, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
    let mut read = Value::Null;
    for _ in 0..300 {
        read = user.api.get(&format!("/orders/{order}")).await.expect(200);
        if holds(&read) {
            return read;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("order {order} did not become {what}: {read:#}");
}

/// A new order of a new service of this category, paid for.
pub async fn open_order(cloud: &Cloud, client: &User, category: &str) -> String {
    let order = place(client, &service(cloud, category).await).await;
    assert_eq!(pay(cloud, client, &order, "pm_card_visa").await["status"], 200);
    until(client, &order, "open").await;
    order
}

/// The body that a move needs.
pub fn body(verb: &str) -> Value {
    match verb {
        "cancel" | "dispute" => json!({"reason": "For a reason."}),
        "resolve" => json!({"outcome": "refund", "note": "After all."}),
        _ => json!({}),
    }
}

impl Job {
    /// A new order of new people, in this state.
    pub async fn in_state(cloud: &Cloud, status: &str) -> Self {
        Self::of(cloud, &People::new(cloud).await, status).await
    }

    /// A new order of these people, in this state; `canceled` and `completed` by its client.
    pub async fn of(cloud: &Cloud, people: &People, status: &str) -> Self {
        let People { client, worker, service } = people.clone();
        let job = Self { id: place(&client, &service).await, client, worker };
        if !["pending", "canceled"].contains(&status) {
            assert_eq!(pay(cloud, &job.client, &job.id, "pm_card_visa").await["status"], 200);
            until(&job.client, &job.id, "open").await;
        }
        let moves: &[(&User, &str)] = match status {
            "pending" | "open" => &[],
            "assigned" => &[(&job.worker, "accept")],
            "delivered" => &[(&job.worker, "accept"), (&job.worker, "deliver")],
            "disputed" => &[(&job.worker, "accept"), (&job.client, "dispute")],
            "completed" => {
                &[(&job.worker, "accept"), (&job.worker, "deliver"), (&job.client, "complete")]
            }
            "canceled" => &[(&job.client, "cancel")],
            other => panic!("there is no state {other}"),
        };
        for (user, verb) in moves {
            job.moves(user, verb).await;
        }
        assert_eq!(job.read(&job.client).await["status"], status);
        job
    }

    /// Makes a move that succeeds.
    pub async fn moves(&self, user: &User, verb: &str) -> Value {
        user.api.post(&self.path(verb), body(verb)).await.expect(200)
    }

    /// Reads the order.
    pub async fn read(&self, user: &User) -> Value {
        user.api.get(&format!("/orders/{}", self.id)).await.expect(200)
    }

    /// `/orders/{id}/{verb}`.
    pub fn path(&self, verb: &str) -> String {
        format!("/orders/{}/{verb}", self.id)
    }
}

/// A new order of a new service, paid for and accepted by `worker`; its id.
pub async fn assigned(cloud: &Cloud, client: &User, worker: &User) -> String {
    let id = open_order(cloud, client, &unique("Live ")).await;
    worker.api.post(&format!("/orders/{id}/accept"), json!({})).await.expect(200);
    id
}
