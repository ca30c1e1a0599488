//! `POST /auth/logout`.

use serde_json::{Value, json};

use crate::support::{Socket, User, new_client, new_worker, shared_cloud};

#[tokio::test]
async fn signing_out_ends_this_session_with_its_sockets_and_no_other() {
    let cloud = shared_cloud();
    let here = new_client(cloud).await;
    let elsewhere = User::sign_in(cloud, &here.username, &here.password).await;
    let (socket, _) = Socket::connect_and_hello(&here, json!({})).await;
    let (mut other, _) = Socket::connect_and_hello(&elsewhere, json!({})).await;
    let ticket = here.api.post("/live/tickets", json!({})).await.expect_status(200);

    assert_eq!(here.api.post("/auth/logout", json!({})).await.expect_status(204), Value::Null);
    here.send_empty_update().await.problem(401, "invalid_token");
    here.api.post("/live/tickets", json!({})).await.problem(401, "invalid_token");
    here.refresh(cloud).await.problem(401, "invalid_grant");
    socket.until_closed().await;
    // A ticket from before the sign-out opens no lasting socket.
    if let Ok(mut late) = Socket::open(ticket["url"].as_str().unwrap(), None).await {
        late.send(json!({"action": "hello"})).await;
        late.until_closed().await;
    }
    here.api.post("/auth/logout", json!({})).await.expect_status(204);

    other.assert_open().await;
    elsewhere.send_empty_update().await.expect_status(200);
    elsewhere.refresh(cloud).await.expect_status(200);
    cloud.client().post("/auth/logout", json!({})).await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn signing_out_with_a_refresh_token_ends_the_session_of_that_token() {
    let cloud = shared_cloud();
    let here = new_client(cloud).await;
    let elsewhere = User::sign_in(cloud, &here.username, &here.password).await;
    let stranger = new_client(cloud).await;
    let out = async |body: Value| here.api.post("/auth/logout", body).await;
    // RFC 7009, section 2.2: an invalid token, or one of another user, ends nothing and is no
    // error.
    for other in
        [&*stranger.refresh_token, "nonsense", "", &format!("rt.{}.a#b.c", here.id().await)]
    {
        out(json!({"refresh_token": other})).await.expect_status(204);
    }
    assert_eq!(out(json!({"refresh_token": 7})).await.field_errors()[0].0, "refresh_token");
    assert_eq!(out(json!({"all": "yes"})).await.field_errors()[0].0, "all");
    for user in [&here, &elsewhere, &stranger] {
        user.send_empty_update().await.expect_status(200);
    }
    out(json!({"refresh_token": elsewhere.refresh_token})).await.expect_status(204);
    elsewhere.send_empty_update().await.problem(401, "invalid_token");
    elsewhere.refresh(cloud).await.problem(401, "invalid_grant");
    here.send_empty_update().await.expect_status(200);
    out(json!({"refresh_token": elsewhere.refresh_token, "all": false})).await.expect_status(204);
}

#[tokio::test]
async fn signing_out_everywhere_ends_all_sessions_and_later_ones_work() {
    let cloud = shared_cloud();
    let first = new_worker(cloud, &[]).await;
    let mut users = vec![first.clone()];
    for _ in 0..2 {
        users.push(User::sign_in(cloud, &first.username, &first.password).await);
    }
    let mut sockets = Vec::new();
    for user in &users {
        sockets.push(Socket::connect_and_hello(user, json!({})).await.0);
    }
    first.api.post("/auth/logout", json!({"all": true})).await.expect_status(204);
    for user in &users {
        user.send_empty_update().await.problem(401, "invalid_token");
        user.refresh(cloud).await.problem(401, "invalid_grant");
        // An ended session can't end other sessions.
        user.api.post("/auth/logout", json!({"all": true})).await.problem(401, "invalid_token");
    }
    for socket in sockets {
        socket.until_closed().await;
    }
    let again = User::sign_in(cloud, &first.username, &first.password).await;
    again.send_empty_update().await.expect_status(200);
    again.refresh(cloud).await.expect_status(200);
}
