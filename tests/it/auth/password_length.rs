//! The maximum length of passwords, at every endpoint that takes one.

use serde_json::json;

use crate::support::{admin, new_client, shared_cloud, sign_in, unique};

#[tokio::test]
async fn an_overlong_password_is_rejected_before_it_is_hashed() {
    let cloud = shared_cloud();
    let (user, admin) = (new_client(cloud).await, admin(cloud).await);
    let huge = "x".repeat(1024 * 1024);
    let fields = |password: &str| {
        let username = unique("huge");
        json!({
            "username": username, "email": format!("{username}@example.com"), "password": password,
            "role": "client",
        })
    };
    let change = |password: &str| json!({"current_password": password, "new_password": password});
    sign_in(&cloud.client(), &user.username, &huge).await.problem(413, "body_too_large");
    cloud.client().post("/auth/register", fields(&huge)).await.problem(413, "body_too_large");
    user.api.post("/auth/password", change(&huge)).await.problem(413, "body_too_large");
    admin.api.post("/users", fields(&huge)).await.problem(413, "body_too_large");

    let long = "ü".repeat(5000);
    sign_in(&cloud.client(), &user.username, &long).await.problem(401, "invalid_grant");
    let too_long = |field: &str| vec![(field.to_owned(), "too_long".to_owned())];
    assert_eq!(
        cloud.client().post("/auth/register", fields(&long)).await.field_errors(),
        too_long("password")
    );
    assert_eq!(admin.api.post("/users", fields(&long)).await.field_errors(), too_long("password"));
    assert_eq!(
        user.api.post("/auth/password", change(&long)).await.field_errors(),
        too_long("new_password")
    );
    // 128 characters, the maximum.
    cloud.client().post("/auth/register", fields(&"ünglücks".repeat(16))).await.expect_status(201);
}
