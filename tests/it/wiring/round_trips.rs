//! How many DynamoDB calls each endpoint makes: one for a read, two for a write. The local cloud
//! counts them, and docs/round-trips.md shows them.
//!
//! An endpoint that has no step in [`every_endpoint_keeps_to_its_dynamodb_calls`] gets its sample
//! event. Write a step if that does not succeed, or does not take the most expensive path.

mod measure;
mod report;

use std::collections::BTreeMap;

use serde_json::json;

use self::measure::Walk;
use self::report::{assert_rule, compare, document, endpoints};
use super::update_sources;
use crate::support::{
    Cloud, Parties, TestOrder, User, admin, new_client, new_worker, pay, price, transition_body,
};

/// Places an order and returns its path.
async fn order_path(client: &User, service: &str) -> String {
    let order = client.api.post("/orders", json!({"service_id": service})).await.expect(201);
    format!("/orders/{}", order["id"].as_str().expect("an id"))
}

#[tokio::test]
async fn every_endpoint_keeps_to_its_dynamodb_calls() {
    update_sources();
    let mut walk = Walk::new(Cloud::start("round-trips", &["--ephemeral"]));
    let api = walk.cloud.client();
    let (admin, client, worker) = (
        admin(&walk.cloud).await,
        new_client(&walk.cloud).await,
        new_worker(&walk.cloud, &["garden"]).await,
    );
    let none = || json!({});

    walk.step("index", api.get("/")).await;
    walk.step("health", api.get("/health")).await;
    walk.step("docs-openapi", api.get("/openapi.json")).await;
    walk.step("docs-ui", api.get("/docs")).await;
    walk.step("docs-files", api.get("/docs/start.js")).await;
    walk.step("docs-problems", api.get("/docs/problems/not_found")).await;

    // Accounts.
    let account = json!({
        "username": "newcomer", "email": "newcomer@example.com", "password": "correct horse",
        "role": "client",
    });
    walk.step("auth-register", api.post("/auth/register", account)).await;
    let grant =
        [("grant_type", "password"), ("username", "newcomer"), ("password", "correct horse")];
    walk.step("auth-token", api.form("/auth/token", &grant)).await;
    walk.step("auth-me", client.api.get("/auth/me")).await;

    walk.step(
        "auth-update",
        client
            .api
            .patch("/auth/me", json!({"username": "renamed", "email": "renamed@example.com"})),
    )
    .await;
    walk.step("auth-keys", api.get("/.well-known/jwks.json")).await;
    let leaver = new_client(&walk.cloud).await;
    let passwords = json!({"current_password": leaver.password, "new_password": "battery staple"});
    walk.step("auth-password", leaver.api.post("/auth/password", passwords)).await;
    walk.step("auth-logout", leaver.api.post("/auth/logout", none())).await;

    // Users.
    let account = json!({
        "username": "second", "email": "second@example.com", "password": "correct horse",
        "role": "admin",
    });
    let user = walk.step("users-create", admin.api.post("/users", account)).await;
    let user = format!("/users/{}", user["id"].as_str().expect("an id"));
    walk.step("users-list", admin.api.get("/users")).await;
    walk.step("users-get", admin.api.get(&user)).await;
    let change = json!({"username": "third", "email": "third@example.com", "role": "client"});
    walk.step("users-update", admin.api.patch(&user, change)).await;
    walk.step("users-delete", admin.api.delete(&user)).await;

    // The catalogue.
    let fields =
        json!({"name": "Lawn", "description": "Mown.", "category": "garden", "price": price(1999)});
    let service = walk.step("services-create", admin.api.post("/services", fields)).await;
    let service = service["id"].as_str().expect("an id").to_owned();
    walk.step("services-list", api.get("/services")).await;
    walk.step("services-categories", api.get("/services/categories")).await;
    walk.step("services-get", api.get(&format!("/services/{service}"))).await;

    let change = json!({"category": "Lawns"});
    walk.step("services-update", admin.api.patch(&format!("/services/{service}"), change)).await;
    let short_lived =
        json!({"name": "Ice", "description": "Melts.", "category": "garden", "price": price(1999)});
    let short_lived = admin.api.post("/services", short_lived).await.expect(201);
    let short_lived = format!("/services/{}", short_lived["id"].as_str().expect("an id"));
    walk.step("services-delete", admin.api.delete(&short_lived)).await;

    // An order up to its payment. Stripe's events are held back, so that confirming the payment
    // finds a new state.
    walk.cloud.stripe().post("/_local/webhooks", json!({"mode": "hold"})).await.expect(200);
    let placed = walk
        .step("orders-create", client.api.post("/orders", json!({"service_id": service})))
        .await;
    let id = placed["id"].as_str().expect("an id").to_owned();
    let path = format!("/orders/{id}");
    walk.step("payments-create", client.api.post(&format!("{path}/payment"), none())).await;
    pay(&walk.cloud, &client, &id, "pm_card_visa").await;
    walk.step("payments-confirm", client.api.post(&format!("{path}/payment/confirm"), none()))
        .await;
    walk.step("payments-get", client.api.get(&format!("{path}/payment"))).await;
    walk.cloud.stripe().post("/_local/webhooks", json!({"mode": "deliver"})).await.expect(200);
    walk.cloud.stripe().post("/_local/webhooks/release", none()).await.expect(200);
    walk.indirect_step("webhooks-stripe").await;
    walk.step("webhooks-events", admin.api.get("/webhooks/stripe/events?state=mismatch")).await;
    let unpaid = order_path(&client, &service).await;
    client.api.post(&format!("{unpaid}/payment"), none()).await.expect(200);
    walk.step("payments-cancel", client.api.post(&format!("{unpaid}/payment/cancel"), none()))
        .await;

    // The work.
    walk.step("orders-open", worker.api.get("/orders/open")).await;
    walk.step("orders-accept", worker.api.post(&format!("{path}/accept"), none())).await;
    walk.step(
        "messages-send",
        client.api.post(&format!("{path}/messages"), json!({"text": "Hello"})),
    )
    .await;
    walk.step("messages-list", client.api.get(&format!("{path}/messages"))).await;
    walk.step("orders-deliver", worker.api.post(&format!("{path}/deliver"), none())).await;
    walk.step("orders-complete", client.api.post(&format!("{path}/complete"), none())).await;
    walk.step("orders-get", client.api.get(&path)).await;
    walk.step("orders-list", client.api.get("/orders")).await;

    // The other transitions.
    let parties =
        Parties { client: client.clone(), worker: worker.clone(), service: json!({"id": service}) };
    let unpaid = TestOrder::between(&walk.cloud, &parties, "pending").await;
    walk.step("orders-cancel", client.api.post(&unpaid.path("cancel"), transition_body("cancel")))
        .await;
    let job = TestOrder::between(&walk.cloud, &parties, "assigned").await;
    walk.step("orders-release", worker.api.post(&job.path("release"), none())).await;
    job.transition(&worker, "accept").await;
    walk.step("orders-reassign", admin.api.post(&job.path("reassign"), none())).await;
    job.transition(&worker, "accept").await;
    job.transition(&worker, "deliver").await;
    walk.step("orders-request-revision", client.api.post(&job.path("request-revision"), none()))
        .await;
    walk.step("orders-dispute", worker.api.post(&job.path("dispute"), transition_body("dispute")))
        .await;
    walk.step("orders-events", client.api.get(&job.path("events"))).await;
    walk.step("orders-resolve", admin.api.post(&job.path("resolve"), transition_body("resolve")))
        .await;

    // Live.
    walk.step("live-ticket", client.api.post("/live/tickets", none())).await;
    walk.step("live-feed", client.api.get("/live/feed?feed=role:clients")).await;
    let broadcast = json!({"role": "worker", "text": "Hello"});
    walk.step("live-broadcast", admin.api.post("/live/broadcasts", broadcast)).await;

    let ids = BTreeMap::from([("orders", path), ("services", format!("/services/{service}"))]);
    for (_, _, function) in endpoints() {
        walk.sample(&function, &ids, &[&api, &client.api, &worker.api, &admin.api]).await;
    }

    assert_rule(&walk.measured);
    compare(&document(&walk.measured));
}
