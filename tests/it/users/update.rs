//! `PATCH /users/{id}`.

use serde_json::json;

use super::create_user;
use crate::support::{
    ForgedToken, Socket, User, admin, new_client, new_worker, shared_cloud, sign_in, unique,
};

#[tokio::test]
async fn suspension_takes_effect_at_the_next_write_and_ends_sockets_and_sessions() {
    let cloud = shared_cloud();
    let (admin, user) = (admin(cloud).await, new_worker(cloud, &[]).await);
    let path = format!("/users/{}", user.id().await);
    let (socket, _) = Socket::connect_and_hello(&user, json!({})).await;
    assert_eq!(
        admin.api.patch(&path, json!({"status": "suspended"})).await.expect_status(200)["status"],
        "suspended"
    );
    user.send_empty_update().await.problem(403, "account_suspended");
    user.api.post("/live/tickets", json!({})).await.problem(403, "account_suspended");
    user.refresh(cloud).await.problem(403, "account_suspended");
    socket.until_closed().await;
    let problem = sign_in(&cloud.client(), &user.username, &user.password)
        .await
        .problem(403, "account_suspended");
    assert_eq!(problem["error"], "invalid_grant");
    sign_in(&cloud.client(), &user.username, "wrong horse").await.problem(401, "invalid_grant");

    admin.api.patch(&path, json!({"status": "active"})).await.expect_status(200);
    user.send_empty_update().await.problem(401, "invalid_token");
    user.refresh(cloud).await.problem(401, "invalid_grant");
    User::sign_in(cloud, &user.username, &user.password)
        .await
        .send_empty_update()
        .await
        .expect_status(200);
}

#[tokio::test]
async fn a_role_change_takes_effect_at_the_next_write_and_keeps_the_session() {
    let cloud = shared_cloud();
    let (admin, user) = (admin(cloud).await, new_worker(cloud, &["Design"]).await);
    let path = format!("/users/{}", user.id().await);
    let (socket, _) = Socket::connect_and_hello(&user, json!({})).await;
    let changed = admin.api.patch(&path, json!({"role": "client"})).await.expect_status(200);
    assert_eq!((&changed["role"], &changed["categories"]), (&json!("client"), &json!([])));
    user.send_empty_update().await.problem(401, "invalid_token");
    user.api.post("/live/tickets", json!({})).await.problem(401, "invalid_token");
    socket.until_closed().await;
    let token = user.refresh(cloud).await.expect_status(200);
    let access_token = token["access_token"].as_str().unwrap().to_owned();
    let renewed = User { api: cloud.client().bearer(&access_token), access_token, ..user };
    assert_eq!(ForgedToken::copy_of(&renewed).claims["role"], "client");
    renewed.send_empty_update().await.expect_status(200);
}

#[tokio::test]
async fn administrators_cannot_change_their_own_role_or_status() {
    let admin = create_user("admin").await;
    let path = format!("/users/{}", admin.id().await);
    for change in [
        json!({"role": "client"}),
        json!({"status": "suspended"}),
        json!({"username": unique("x"), "role": "worker"}),
    ] {
        admin.api.patch(&path, change).await.problem(409, "own_account");
    }
    admin.api.delete(&path).await.problem(409, "own_account");
    let renamed = unique("renamed");
    let change = json!({"username": renamed, "role": "admin", "status": "active"});
    assert_eq!(
        admin.api.patch(&path, change).await.expect_status(200)["username"],
        renamed.as_str()
    );
    admin.send_empty_update().await.expect_status(200);
}

#[tokio::test]
async fn if_match_lets_one_of_several_concurrent_changes_through() {
    let cloud = shared_cloud();
    let (admin, user) = (admin(cloud).await, new_client(cloud).await);
    let path = format!("/users/{}", user.id().await);
    let etag = admin.api.get(&path).await.header("etag").unwrap().to_owned();
    let api = admin.api.with_header("if-match", &etag);
    let change = async |n: usize| {
        api.patch(&path, json!({"username": unique(&format!("r{n}x"))})).await.status.as_u16()
    };
    let mut statuses = futures::future::join_all((0..5).map(change)).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412, 412, 412, 412]);
    let problem =
        api.patch(&path, json!({"status": "suspended"})).await.problem(412, "precondition_failed");
    assert_eq!(problem["version"], 2);
    api.delete(&path).await.problem(412, "precondition_failed");
    // The user's own endpoint checks the same version.
    user.api
        .with_header("if-match", &etag)
        .patch("/auth/me", json!({"email": "x@example.com"}))
        .await
        .problem(412, "precondition_failed");
    user.api.with_header("if-match", "\"2\"").patch("/auth/me", json!({})).await.expect_status(200);
}
