//! Users, as administrators manage them.

mod access;
mod create;
mod delete;
mod list;
mod update;

use serde_json::{Value, json};

use crate::support::{User, admin, cloud, unique};

/// A user made by an administrator, signed in.
async fn made(role: &str) -> User {
    let admin = admin(cloud()).await;
    let user = admin.api.post("/users", new(&unique("m"), role)).await.expect(201);
    User::sign_in(cloud(), user["username"].as_str().unwrap(), "correct horse").await
}

fn new(username: &str, role: &str) -> Value {
    json!({"username": username, "email": format!("{username}@example.com"), "password": "correct horse", "role": role})
}

fn names(list: &Value) -> Vec<&str> {
    list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["username"].as_str().unwrap())
        .collect()
}
