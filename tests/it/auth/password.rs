//! `POST /auth/password`.

use serde_json::{Value, json};

use crate::support::{Socket, User, new_client, shared_cloud, sign_in};

#[tokio::test]
async fn changing_the_password_needs_the_current_one_and_ends_all_other_sessions() {
    let cloud = shared_cloud();
    let here = new_client(cloud).await;
    let elsewhere = User::sign_in(cloud, &here.username, &here.password).await;
    let (mut socket, _) = Socket::connect_and_hello(&here, json!({})).await;
    let (other, _) = Socket::connect_and_hello(&elsewhere, json!({})).await;
    let change = async |current: &str, new: &str| {
        here.api
            .post("/auth/password", json!({"current_password": current, "new_password": new}))
            .await
    };
    let field = |field: &str, code: &str| vec![(field.to_owned(), code.to_owned())];
    let long = "x".repeat(129);
    for (current, new, wrong) in [
        (&here.password, "short", field("new_password", "too_short")),
        (&here.password, &long, field("new_password", "too_long")),
        (&here.password, "Password123", field("new_password", "too_common")),
        (&here.password, &here.username.to_uppercase(), field("new_password", "too_common")),
        (&here.password, &here.password, field("new_password", "unchanged")),
    ] {
        assert_eq!(change(current, new).await.field_errors(), wrong);
    }
    for wrong in ["wrong horse", &"y".repeat(5000)] {
        change(wrong, "battery staple").await.problem(403, "wrong_password");
    }
    elsewhere.send_empty_update().await.expect_status(200);

    assert_eq!(change(&here.password, "battery staple").await.expect_status(204), Value::Null);
    here.send_empty_update().await.expect_status(200);
    socket.assert_open().await;
    elsewhere.send_empty_update().await.problem(401, "invalid_token");
    elsewhere.refresh(cloud).await.problem(401, "invalid_grant");
    other.until_closed().await;
    sign_in(&cloud.client(), &here.username, &here.password).await.problem(401, "invalid_grant");
    let renewed = User::sign_in(cloud, &here.username, "battery staple").await;

    // Signing out everywhere also ends the session that the password change kept.
    here.refresh(cloud).await.expect_status(200);
    renewed.api.post("/auth/logout", json!({"all": true})).await.expect_status(204);
    here.send_empty_update().await.problem(401, "invalid_token");
}

#[tokio::test]
async fn one_of_two_concurrent_password_changes_wins() {
    let cloud = shared_cloud();
    let user = new_client(cloud).await;
    let (one, other) = (user.clone(), User::sign_in(cloud, &user.username, &user.password).await);
    let change = async |user: &User, new: &str| {
        let body = json!({"current_password": "correct horse", "new_password": new});
        user.api.post("/auth/password", body).await.status.as_u16()
    };
    let (a, b) =
        futures::join!(change(&one, "battery staple 1"), change(&other, "battery staple 2"));
    let mut statuses = [a, b];
    statuses.sort_unstable();
    // The loser finds the password changed (409 or 403) or its session ended (401).
    assert!(statuses[0] == 204 && [401, 403, 409].contains(&statuses[1]), "{statuses:?}");
    let right = if a == 204 { "battery staple 1" } else { "battery staple 2" };
    User::sign_in(cloud, &user.username, right).await;
}
