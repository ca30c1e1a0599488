//! `POST /auth/register`.

use serde_json::json;

use crate::support::{new_client, shared_cloud, unique};

#[tokio::test]
async fn nobody_can_register_as_an_administrator() {
    let body = json!({
        "email": "a@example.com", "username": unique("a"), "password": "correct horse",
        "role": "admin",
    });
    let wrong = shared_cloud().client().post("/auth/register", body).await.field_errors();
    assert_eq!(wrong, [("role".to_owned(), "invalid".to_owned())]);
}

#[tokio::test]
async fn one_response_reports_every_wrong_field() {
    let body = json!({
        "email": "nonsense", "username": "x", "password": "short", "admin": true, "categories": 7,
    });
    let mut wrong: Vec<_> = shared_cloud()
        .client()
        .post("/auth/register", body)
        .await
        .field_errors()
        .into_iter()
        .map(|(field, _)| field)
        .collect();
    wrong.sort();
    assert_eq!(wrong, ["admin", "categories", "email", "password", "username"]);
}

#[tokio::test]
async fn usernames_and_e_mail_addresses_are_unique_regardless_of_case() {
    let cloud = shared_cloud();
    let first = new_client(cloud).await;
    let email = format!("{}@EXAMPLE.com", first.username.to_uppercase());
    let body = json!({
        "email": email, "username": first.username.to_uppercase(), "password": "correct horse",
    });
    assert_eq!(
        cloud.client().post("/auth/register", body).await.fields_taken(),
        ["username", "email"]
    );
}

#[tokio::test]
async fn fifty_concurrent_registrations_of_one_username_create_one_user() {
    let cloud = shared_cloud();
    let username = unique("race");
    let tries = (0..50).map(|n| {
        let body = json!({
            "email": format!("{username}-{n}@example.com"), "username": username,
            "password": "correct horse",
        });
        let api = cloud.client();
        async move { api.post("/auth/register", body).await.status.as_u16() }
    });
    let mut statuses = futures::future::join_all(tries).await;
    statuses.sort_unstable();
    assert_eq!(statuses[0], 201);
    assert!(statuses[1..].iter().all(|s| *s == 409), "{statuses:?}");
}

#[tokio::test]
async fn a_request_repeated_with_its_idempotency_key_registers_the_user_once() {
    let cloud = shared_cloud();
    let username = unique("again");
    let body = json!({
        "email": format!("{username}@example.com"), "username": username,
        "password": "correct horse",
    });
    let api = cloud.client().with_header("idempotency-key", &unique("key"));
    let first = api.post("/auth/register", body.clone()).await.expect_status(201);
    let again = api.post("/auth/register", body.clone()).await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.expect_status(201), first);
    let mut other = body;
    other["email"] = json!(format!("{username}-2@example.com"));
    api.post("/auth/register", other).await.problem(422, "idempotency_key_reused");
}

#[tokio::test]
async fn an_idempotency_key_reused_with_another_password_is_rejected() {
    let cloud = shared_cloud();
    let username = unique("again");
    let mut body = json!({
        "email": format!("{username}@example.com"), "username": username,
        "password": "correct horse",
    });
    let api = cloud.client().with_header("idempotency-key", &unique("key"));
    api.post("/auth/register", body.clone()).await.expect_status(201);
    body["password"] = json!("battery staple");
    api.post("/auth/register", body).await.problem(422, "idempotency_key_reused");
}
