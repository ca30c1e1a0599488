//! `POST /orders`.

use serde_json::json;

use crate::support::{new_client, new_service, shared_cloud, unique};

#[tokio::test]
async fn a_repeated_idempotency_key_places_one_order_and_gets_the_first_answer() {
    let cloud = shared_cloud();
    let owner = new_client(cloud).await;
    let service = new_service(cloud, "again").await;
    let api = owner.api.with_header("idempotency-key", &unique("key"));
    let body = json!({"service_id": service["id"], "note": "once"});
    let tries = (0..10).map(|_| api.post("/orders", body.clone()));
    let answers = futures::future::join_all(tries).await;
    let replayed =
        answers.iter().filter(|a| a.header("idempotent-replayed") == Some("true")).count();
    assert_eq!(replayed, 9);
    let bodies: Vec<_> = answers.into_iter().map(|a| a.expect_status(201)).collect();
    assert!(bodies.iter().all(|b| *b == bodies[0]), "{bodies:#?}");
    assert_eq!(
        owner.api.get("/orders").await.expect_status(200)["items"].as_array().map(Vec::len),
        Some(1)
    );
    api.post("/orders", json!({"service_id": service["id"], "note": "twice"}))
        .await
        .problem(422, "idempotency_key_reused");
}
