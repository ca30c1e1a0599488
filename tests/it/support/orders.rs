//! Orders in any status. They get there through the same requests as in production.

use serde_json::{Value, json};

use super::{Cloud, User, new_client, new_service, new_worker, try_eventually, unique};

/// A client, a worker, and a service that the client can order any number of times.
#[derive(Clone)]
pub struct Parties {
    pub client: User,
    pub worker: User,
    pub service: Value,
}

impl Parties {
    pub async fn new(cloud: &Cloud) -> Self {
        let (client, worker) = futures::join!(new_client(cloud), new_worker(cloud, &[]));
        Self { client, worker, service: new_service(cloud, &unique("Job ")).await }
    }
}

/// An order with its client and its worker.
pub struct TestOrder {
    pub id: String,
    pub client: User,
    pub worker: User,
}

/// Places an order of this service and returns its id.
pub async fn place_order(client: &User, service: &Value) -> String {
    let order =
        client.api.post("/orders", json!({"service_id": service["id"]})).await.expect_status(201);
    order["id"].as_str().expect("an id").to_owned()
}

/// Places an order of a new service in this category, pays it, and returns its id.
pub async fn place_paid_order(cloud: &Cloud, client: &User, category: &str) -> String {
    let order = place_order(client, &new_service(cloud, category).await).await;
    assert_eq!(pay(cloud, client, &order, "pm_card_visa").await["status"], 200);
    until_status(client, &order, "open").await;
    order
}

/// Places an order of a new service, pays it, has `worker` accept it, and returns its id.
pub async fn place_assigned_order(cloud: &Cloud, client: &User, worker: &User) -> String {
    let id = place_paid_order(cloud, client, &unique("Live ")).await;
    worker.api.post(&format!("/orders/{id}/accept"), json!({})).await.expect_status(200);
    id
}

/// Pays an order at the Stripe stand-in as the browser does, with the publishable key and the
/// client secret. Returns our API's payment, and the status and body of Stripe's response.
pub async fn pay(cloud: &Cloud, client: &User, order: &str, card: &str) -> Value {
    let payment =
        client.api.post(&format!("/orders/{order}/payment"), json!({})).await.expect_status(200);
    let intent = payment["payment_intent_id"].as_str().expect("an intent").to_owned();
    let stripe = cloud.stripe().bearer(payment["publishable_key"].as_str().expect("a key"));
    let fields = [
        ("payment_method", card),
        ("client_secret", payment["client_secret"].as_str().expect("a secret")),
    ];
    let confirmed = stripe.form(&format!("/v1/payment_intents/{intent}/confirm"), &fields).await;
    json!({"payment": payment, "status": confirmed.status.as_u16(), "stripe": confirmed.body})
}

/// Waits until the order has this status, and returns it.
pub async fn until_status(user: &User, order: &str, status: &str) -> Value {
    until_order(user, order, status, |order| order["status"] == status).await
}

/// Waits until the order has this payment status, and returns it.
pub async fn until_payment_status(user: &User, order: &str, status: &str) -> Value {
    until_order(user, order, status, |order| order["payment_status"] == status).await
}

/// Waits until `holds` is true of the order, and returns it. `what` describes the condition in the
/// failure message.
pub async fn until_order(
    user: &User,
    order: &str,
    what: &str,
    holds: impl Fn(&Value) -> bool,
) -> Value {
    let mut seen = Value::Null;
    let found = try_eventually(async || {
        seen = user.api.get(&format!("/orders/{order}")).await.ok_unless_unavailable()?;
        holds(&seen).then_some(())
    });
    assert!(found.await.is_some(), "order {order} did not become {what}: {seen:#}");
    seen
}

/// Returns the smallest request body of a transition.
pub fn transition_body(verb: &str) -> Value {
    match verb {
        "cancel" | "dispute" => json!({"reason": "For a reason."}),
        "resolve" => json!({"outcome": "refund", "note": "After all."}),
        _ => json!({}),
    }
}

impl TestOrder {
    /// Creates an order in this status, between a new client and a new worker.
    pub async fn in_status(cloud: &Cloud, status: &str) -> Self {
        Self::between(cloud, &Parties::new(cloud).await, status).await
    }

    /// Creates an order in this status between these parties. If it is completed or canceled, the
    /// client does that.
    pub async fn between(cloud: &Cloud, parties: &Parties, status: &str) -> Self {
        let Parties { client, worker, service } = parties.clone();
        let order = Self { id: place_order(&client, &service).await, client, worker };
        if !["pending", "canceled"].contains(&status) {
            assert_eq!(pay(cloud, &order.client, &order.id, "pm_card_visa").await["status"], 200);
            until_status(&order.client, &order.id, "open").await;
        }
        let transitions: &[(&User, &str)] = match status {
            "pending" | "open" => &[],
            "assigned" => &[(&order.worker, "accept")],
            "delivered" => &[(&order.worker, "accept"), (&order.worker, "deliver")],
            "disputed" => &[(&order.worker, "accept"), (&order.client, "dispute")],
            "completed" => &[
                (&order.worker, "accept"),
                (&order.worker, "deliver"),
                (&order.client, "complete"),
            ],
            "canceled" => &[(&order.client, "cancel")],
            other => panic!("there is no status {other}"),
        };
        for (user, verb) in transitions {
            order.transition(user, verb).await;
        }
        assert_eq!(order.read(&order.client).await["status"], status);
        order
    }

    /// Makes a transition that must succeed, and returns the order.
    pub async fn transition(&self, user: &User, verb: &str) -> Value {
        user.api.post(&self.path(verb), transition_body(verb)).await.expect_status(200)
    }

    /// Returns the order as this user sees it.
    pub async fn read(&self, user: &User) -> Value {
        user.api.get(&format!("/orders/{}", self.id)).await.expect_status(200)
    }

    /// Returns the last event of the order's history.
    pub async fn last_event(&self) -> Value {
        let events = self.client.api.get(&self.path("events")).await.expect_status(200);
        events["items"].as_array().expect("items").last().expect("an event").clone()
    }

    /// Returns `/orders/{id}/{verb}`.
    pub fn path(&self, verb: &str) -> String {
        format!("/orders/{}/{verb}", self.id)
    }
}
