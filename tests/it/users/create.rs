//! `POST /users`.

use serde_json::{Value, json};

use super::new_user;
use crate::support::{User, admin, shared_cloud, unique};

#[tokio::test]
async fn administrators_create_users_of_any_role_who_can_sign_in() {
    let cloud = shared_cloud();
    let admin = admin(cloud).await;
    for role in ["client", "worker", "admin"] {
        let username = unique("created");
        let mut body = new_user(&username, role);
        if role == "worker" {
            body["categories"] = json!(["Design"]);
        }
        let answer = admin.api.post("/users", body).await;
        let location = answer.header("location").unwrap().to_owned();
        let user = answer.expect_status(201);
        assert_eq!((&user["role"], &user["status"]), (&json!(role), &json!("active")));
        assert_eq!(location, format!("/users/{}", user["id"].as_str().unwrap()));
        let got = admin.api.get(&location).await;
        assert_eq!(got.header("etag"), Some("\"1\""));
        assert_eq!(got.expect_status(200), user);
        assert_eq!(User::sign_in(cloud, &username, "correct horse").await.me().await, user);
        for secret in ["password", "generation", "created_by"] {
            assert_eq!(user[secret], Value::Null, "{secret} is not shown");
        }
    }
    let wrong = admin
        .api
        .post("/users", json!({"role": "root", "password": "password", "status": "active"}))
        .await;
    let mut wrong: Vec<_> = wrong.field_errors().into_iter().map(|(field, _)| field).collect();
    wrong.sort();
    assert_eq!(wrong, ["email", "password", "role", "status", "username"]);
    let taken = admin
        .api
        .post("/users", new_user(&admin.username.to_uppercase(), "client"))
        .await
        .fields_taken();
    assert_eq!(taken, ["username"]);
}

#[tokio::test]
async fn a_repeated_idempotency_key_creates_one_user_and_covers_the_password() {
    let admin = admin(shared_cloud()).await;
    let api = admin.api.with_header("idempotency-key", &unique("key"));
    let body = new_user(&unique("once"), "worker");
    let first = api.post("/users", body.clone()).await.expect_status(201);
    let path = format!("/users/{}", first["id"].as_str().unwrap());
    admin.api.patch(&path, json!({"status": "suspended"})).await.expect_status(200);
    let again = api.post("/users", body.clone()).await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.expect_status(201), first, "a later change does not alter the first answer");
    for (field, value) in
        [("password", "battery staple"), ("role", "client"), ("username", "someone-else")]
    {
        let mut other = body.clone();
        other[field] = json!(value);
        api.post("/users", other).await.problem(422, "idempotency_key_reused");
    }
}
