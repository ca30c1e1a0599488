//! Users, as administrators manage them.

mod access;
mod create;
mod delete;
mod get;
mod list;
mod update;

use serde_json::{Value, json};

use crate::support::{User, admin, shared_cloud, unique};

/// Creates a user with this role as an administrator, and signs in as the user.
async fn create_user(role: &str) -> User {
    let admin = admin(shared_cloud()).await;
    let user = admin.api.post("/users", new_user(&unique("m"), role)).await.expect_status(201);
    User::sign_in(shared_cloud(), user["username"].as_str().unwrap(), "correct horse").await
}

/// Returns the body of `POST /users`.
fn new_user(username: &str, role: &str) -> Value {
    json!({
        "username": username, "email": format!("{username}@example.com"),
        "password": "correct horse", "role": role,
    })
}

/// Returns the usernames on a page.
fn names(list: &Value) -> Vec<&str> {
    list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["username"].as_str().unwrap())
        .collect()
}
