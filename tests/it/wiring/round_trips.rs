//! How many DynamoDB calls each endpoint makes: one for a read, two for a write. The local cloud
//! counts them, and docs/round-trips.md shows them.
//!
//! An endpoint that has no step in [`every_endpoint_keeps_to_its_dynamodb_calls`] gets its sample
//! event. Write a step if that does not succeed, or does not take the most expensive path.

mod measure;
mod report;

use std::collections::BTreeMap;

use serde_json::json;

use self::measure::CallRecorder;
use self::report::{assert_within_limits, check_or_update, document, endpoints};
use super::update_sources;
use crate::support::{
    Cloud, Parties, TestOrder, User, admin, new_client, new_worker, pay, price, transition_body,
};

/// Places an order and returns its path.
async fn order_path(client: &User, service: &str) -> String {
    let order = client.api.post("/orders", json!({"service_id": service})).await.expect_status(201);
    format!("/orders/{}", order["id"].as_str().expect("an id"))
}

#[tokio::test]
async fn every_endpoint_keeps_to_its_dynamodb_calls() {
    update_sources();
    let mut recorder = CallRecorder::new(Cloud::start("round-trips", &["--ephemeral"]));
    let api = recorder.cloud.client();
    let (admin, client, worker) = (
        admin(&recorder.cloud).await,
        new_client(&recorder.cloud).await,
        new_worker(&recorder.cloud, &["garden"]).await,
    );
    let none = || json!({});

    recorder.step("index", api.get("/")).await;
    recorder.step("health", api.get("/health")).await;
    recorder.step("docs-openapi", api.get("/openapi.json")).await;
    recorder.step("docs-ui", api.get("/docs")).await;
    recorder.step("docs-files", api.get("/docs/start.js")).await;
    recorder.step("docs-problems", api.get("/docs/problems/not_found")).await;

    // Accounts.
    let account = json!({
        "username": "newcomer", "email": "newcomer@example.com", "password": "correct horse",
        "role": "client",
    });
    recorder.step("auth-register", api.post("/auth/register", account)).await;
    let grant =
        [("grant_type", "password"), ("username", "newcomer"), ("password", "correct horse")];
    recorder.step("auth-token", api.form("/auth/token", &grant)).await;
    recorder.step("auth-me", client.api.get("/auth/me")).await;

    recorder
        .step(
            "auth-update",
            client
                .api
                .patch("/auth/me", json!({"username": "renamed", "email": "renamed@example.com"})),
        )
        .await;
    recorder.step("auth-keys", api.get("/.well-known/jwks.json")).await;
    let leaver = new_client(&recorder.cloud).await;
    let passwords = json!({"current_password": leaver.password, "new_password": "battery staple"});
    recorder.step("auth-password", leaver.api.post("/auth/password", passwords)).await;
    recorder.step("auth-logout", leaver.api.post("/auth/logout", none())).await;

    // Users.
    let account = json!({
        "username": "second", "email": "second@example.com", "password": "correct horse",
        "role": "admin",
    });
    let user = recorder.step("users-create", admin.api.post("/users", account)).await;
    let user = format!("/users/{}", user["id"].as_str().expect("an id"));
    recorder.step("users-list", admin.api.get("/users")).await;
    recorder.step("users-get", admin.api.get(&user)).await;
    let change = json!({"username": "third", "email": "third@example.com", "role": "client"});
    recorder.step("users-update", admin.api.patch(&user, change)).await;
    recorder.step("users-delete", admin.api.delete(&user)).await;

    // The catalogue.
    let fields =
        json!({"name": "Lawn", "description": "Mown.", "category": "garden", "price": price(1999)});
    let service = recorder.step("services-create", admin.api.post("/services", fields)).await;
    let service = service["id"].as_str().expect("an id").to_owned();
    recorder.step("services-list", api.get("/services")).await;
    recorder.step("services-categories", api.get("/services/categories")).await;
    recorder.step("services-get", api.get(&format!("/services/{service}"))).await;

    let change = json!({"category": "Lawns"});
    recorder
        .step("services-update", admin.api.patch(&format!("/services/{service}"), change))
        .await;
    let short_lived =
        json!({"name": "Ice", "description": "Melts.", "category": "garden", "price": price(1999)});
    let short_lived = admin.api.post("/services", short_lived).await.expect_status(201);
    let short_lived = format!("/services/{}", short_lived["id"].as_str().expect("an id"));
    recorder.step("services-delete", admin.api.delete(&short_lived)).await;

    // An order up to its payment. Stripe's events are held back, so that confirming the payment
    // finds a new state.
    recorder
        .cloud
        .stripe()
        .post("/_local/webhooks", json!({"mode": "hold"}))
        .await
        .expect_status(200);
    let placed = recorder
        .step("orders-create", client.api.post("/orders", json!({"service_id": service})))
        .await;
    let id = placed["id"].as_str().expect("an id").to_owned();
    let path = format!("/orders/{id}");
    recorder.step("payments-create", client.api.post(&format!("{path}/payment"), none())).await;
    pay(&recorder.cloud, &client, &id, "pm_card_visa").await;
    recorder
        .step("payments-confirm", client.api.post(&format!("{path}/payment/confirm"), none()))
        .await;
    recorder.step("payments-get", client.api.get(&format!("{path}/payment"))).await;
    recorder
        .cloud
        .stripe()
        .post("/_local/webhooks", json!({"mode": "deliver"}))
        .await
        .expect_status(200);
    recorder.cloud.stripe().post("/_local/webhooks/release", none()).await.expect_status(200);
    recorder.indirect_step("webhooks-stripe").await;
    recorder.step("webhooks-events", admin.api.get("/webhooks/stripe/events?state=mismatch")).await;
    let unpaid = order_path(&client, &service).await;
    client.api.post(&format!("{unpaid}/payment"), none()).await.expect_status(200);
    recorder
        .step("payments-cancel", client.api.post(&format!("{unpaid}/payment/cancel"), none()))
        .await;

    // The work.
    recorder.step("orders-open", worker.api.get("/orders/open")).await;
    recorder.step("orders-accept", worker.api.post(&format!("{path}/accept"), none())).await;
    recorder
        .step(
            "messages-send",
            client.api.post(&format!("{path}/messages"), json!({"text": "Hello"})),
        )
        .await;
    recorder.step("messages-list", client.api.get(&format!("{path}/messages"))).await;
    recorder.step("orders-deliver", worker.api.post(&format!("{path}/deliver"), none())).await;
    recorder.step("orders-complete", client.api.post(&format!("{path}/complete"), none())).await;
    recorder.step("orders-get", client.api.get(&path)).await;
    recorder.step("orders-list", client.api.get("/orders")).await;

    // The other transitions.
    let parties =
        Parties { client: client.clone(), worker: worker.clone(), service: json!({"id": service}) };
    let unpaid = TestOrder::between(&recorder.cloud, &parties, "pending").await;
    recorder
        .step("orders-cancel", client.api.post(&unpaid.path("cancel"), transition_body("cancel")))
        .await;
    let job = TestOrder::between(&recorder.cloud, &parties, "assigned").await;
    recorder.step("orders-release", worker.api.post(&job.path("release"), none())).await;
    job.transition(&worker, "accept").await;
    recorder.step("orders-reassign", admin.api.post(&job.path("reassign"), none())).await;
    job.transition(&worker, "accept").await;
    job.transition(&worker, "deliver").await;
    recorder
        .step("orders-request-revision", client.api.post(&job.path("request-revision"), none()))
        .await;
    recorder
        .step("orders-dispute", worker.api.post(&job.path("dispute"), transition_body("dispute")))
        .await;
    recorder.step("orders-events", client.api.get(&job.path("events"))).await;
    recorder
        .step("orders-resolve", admin.api.post(&job.path("resolve"), transition_body("resolve")))
        .await;

    // Live.
    recorder.step("live-ticket", client.api.post("/live/tickets", none())).await;
    recorder.step("live-feed", client.api.get("/live/feed?feed=role:clients")).await;
    let broadcast = json!({"role": "worker", "text": "Hello"});
    recorder.step("live-broadcast", admin.api.post("/live/broadcasts", broadcast)).await;

    let ids = BTreeMap::from([("orders", path), ("services", format!("/services/{service}"))]);
    for (_, _, function) in endpoints() {
        recorder.sample(&function, &ids, &[&api, &client.api, &worker.api, &admin.api]).await;
    }

    assert_within_limits(&recorder.measured);
    check_or_update(&document(&recorder.measured));
}
