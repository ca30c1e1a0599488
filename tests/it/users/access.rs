//! Who may manage users, at every endpoint of `/users`.

use serde_json::json;

use super::{create_user, new_user};
use crate::support::{admin, new_client, new_worker, shared_cloud, unique};

#[tokio::test]
async fn only_administrators_manage_users_and_unknown_ids_are_not_found() {
    let cloud = shared_cloud();
    let target = new_client(cloud).await.id().await;
    let path = format!("/users/{target}");
    for user in [new_client(cloud).await, new_worker(cloud, &[]).await] {
        user.api.get("/users").await.problem(403, "forbidden");
        user.api.post("/users", new_user("someone", "client")).await.problem(403, "forbidden");
        user.api.get(&path).await.problem(403, "forbidden");
        user.api.patch(&path, json!({"status": "suspended"})).await.problem(403, "forbidden");
        user.api.delete(&path).await.problem(403, "forbidden");
    }
    let admin = admin(cloud).await;
    for id in [
        "none",
        "usr_00000000000000000000000000",
        "usr_1%23USER",
        "%2e%2e",
        &format!("{target}%23SESSION"),
        &target.to_uppercase(),
    ] {
        admin.api.get(&format!("/users/{id}")).await.problem(404, "not_found");
        admin
            .api
            .patch(&format!("/users/{id}"), json!({"status": "suspended"}))
            .await
            .problem(404, "not_found");
        admin.api.delete(&format!("/users/{id}")).await.problem(404, "not_found");
    }
}

#[tokio::test]
async fn a_demoted_administrator_is_rejected_at_the_next_request() {
    let cloud = shared_cloud();
    let (admin, other) = (admin(cloud).await, create_user("admin").await);
    other.api.get("/users?limit=1").await.expect_status(200);
    admin
        .api
        .patch(&format!("/users/{}", other.id().await), json!({"role": "client"}))
        .await
        .expect_status(200);
    let path = format!("/users/{}", new_client(cloud).await.id().await);
    other.api.get("/users?limit=1").await.problem(401, "invalid_token");
    other.api.get(&path).await.problem(401, "invalid_token");
    other.api.patch(&path, json!({"status": "suspended"})).await.problem(401, "invalid_token");
    other.api.delete(&path).await.problem(401, "invalid_token");
    other.api.post("/users", new_user(&unique("x"), "admin")).await.problem(401, "invalid_token");
}
