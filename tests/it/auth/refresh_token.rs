//! Refresh tokens: `POST /auth/token` with `grant_type=refresh_token`.

use serde_json::json;

use crate::support::{Socket, User, new_client, refresh, shared_cloud};

#[tokio::test]
async fn a_refresh_token_reused_after_its_successor_ends_the_session() {
    let cloud = shared_cloud();
    let user = new_client(cloud).await;
    let next = async |token: &str| {
        refresh(cloud, token).await.expect_status(200)["refresh_token"].as_str().unwrap().to_owned()
    };
    let second = next(&user.refresh_token).await;
    // A client that lost the response sends the same token again.
    assert_eq!(next(&user.refresh_token).await, second);
    let third = next(&second).await;
    user.send_empty_update().await.expect_status(200);
    refresh(cloud, &user.refresh_token).await.problem(401, "invalid_grant");
    refresh(cloud, &third).await.problem(401, "invalid_grant");
    user.send_empty_update().await.problem(401, "invalid_token");
}

#[tokio::test]
async fn concurrent_uses_of_a_refresh_token_get_the_same_successor() {
    let cloud = shared_cloud();
    let user = new_client(cloud).await;
    let answers = futures::future::join_all((0..8).map(|_| user.refresh(cloud))).await;
    let mut successors: Vec<_> = answers
        .into_iter()
        .map(|answer| {
            answer.expect_status(200)["refresh_token"].as_str().expect("a token").to_owned()
        })
        .collect();
    successors.dedup();
    assert_eq!(successors.len(), 1, "{successors:?}");
    assert_ne!(successors[0], user.refresh_token);
    refresh(cloud, &successors[0]).await.expect_status(200);
    // After its successor was used, the first token can only come from a theft.
    user.refresh(cloud).await.problem(401, "invalid_grant");
    user.send_empty_update().await.problem(401, "invalid_token");
}

#[tokio::test]
async fn a_tampered_refresh_token_is_rejected_and_ends_no_other_session() {
    let cloud = shared_cloud();
    let (user, victim) = (new_client(cloud).await, new_client(cloud).await);
    let parts: Vec<_> = user.refresh_token.split('.').collect();
    let [_, id, session, bits] = parts[..] else { panic!("{parts:?}") };
    let [_, victim_id, victim_session, _] = victim.refresh_token.split('.').collect::<Vec<_>>()[..]
    else {
        panic!()
    };
    for wrong in [
        String::new(),
        "rt".to_owned(),
        format!("rt.{id}.{session}"),
        format!("rt.{id}.{session}."),
        format!("rt.{id}.none.{bits}"),
        format!("rt.{id}.{session}#.{bits}"),
        format!("rt.{id}#USER.{session}.{bits}"),
        format!("rt.{id}.{session}.{bits}.{bits}"),
        format!("RT.{id}.{session}.{bits}"),
        format!("rt.{id}.{session}.{}", "A".repeat(10_000)),
        format!("rt.{victim_id}.none.{bits}"),
        user.access_token.clone(),
    ] {
        refresh(cloud, &wrong).await.problem(401, "invalid_grant");
    }
    user.refresh(cloud).await.expect_status(200);
    // Somebody who knows a session's id but not its secret can end the session, but nothing else.
    // Only the user of the session knows its id.
    refresh(cloud, &format!("rt.{victim_id}.{victim_session}.{bits}"))
        .await
        .problem(401, "invalid_grant");
    let answer = cloud.client().form("/auth/token", &[("grant_type", "refresh_token")]).await;
    assert_eq!(answer.field_errors(), [("refresh_token".to_owned(), "required".to_owned())]);
}

#[tokio::test]
async fn ending_a_session_for_a_stolen_token_closes_its_sockets_only() {
    let cloud = shared_cloud();
    let client = new_client(cloud).await;
    let elsewhere = User::sign_in(cloud, &client.username, &client.password).await;
    let (socket, _) = Socket::connect_and_hello(&client, json!({})).await;
    let (mut other, _) = Socket::connect_and_hello(&elsewhere, json!({})).await;
    let mut token = client.refresh_token.clone();
    for _ in 0..2 {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", token.as_str())];
        let next = client.api.form("/auth/token", &fields).await.expect_status(200);
        token = next["refresh_token"].as_str().unwrap().to_owned();
    }
    let fields =
        [("grant_type", "refresh_token"), ("refresh_token", client.refresh_token.as_str())];
    assert_ne!(client.api.form("/auth/token", &fields).await.status, 200);
    socket.until_closed().await;
    client.api.post("/live/tickets", json!({})).await.problem(401, "invalid_token");
    other.assert_open().await;
}
