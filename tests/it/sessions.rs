//! Sign-ins: how they end, and what ends with them.

use serde_json::{Value, json};

use crate::support::{Socket, User, client, cloud, refresh, sign_in, worker};

/// That a socket is still open.
async fn pongs(socket: &mut Socket) {
    socket.send(json!({"action": "ping"})).await;
    assert_eq!(socket.next().await, json!({"type": "pong"}));
}

#[tokio::test]
async fn signing_out_ends_this_sign_in_with_its_sockets_and_no_other() {
    let cloud = cloud();
    let here = client(cloud).await;
    let elsewhere = User::sign_in(cloud, &here.username, &here.password).await;
    let (socket, _) = Socket::hello(&here, json!({})).await;
    let (mut other, _) = Socket::hello(&elsewhere, json!({})).await;
    let ticket = here.api.post("/live/tickets", json!({})).await.expect(200);

    assert_eq!(here.api.post("/auth/logout", json!({})).await.expect(204), Value::Null);
    here.write().await.problem(401, "invalid_token");
    here.api.post("/live/tickets", json!({})).await.problem(401, "invalid_token");
    here.refresh(cloud).await.problem(401, "invalid_grant");
    socket.closed().await;
    // A ticket from before opens nothing that lasts.
    if let Ok(mut late) = Socket::open(ticket["url"].as_str().unwrap(), None).await {
        late.send(json!({"action": "hello"})).await;
        late.closed().await;
    }
    here.api.post("/auth/logout", json!({})).await.expect(204);

    pongs(&mut other).await;
    elsewhere.write().await.expect(200);
    elsewhere.refresh(cloud).await.expect(200);
    cloud.client().post("/auth/logout", json!({})).await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn signing_out_with_a_refresh_token_ends_its_sign_in() {
    let cloud = cloud();
    let here = client(cloud).await;
    let elsewhere = User::sign_in(cloud, &here.username, &here.password).await;
    let stranger = client(cloud).await;
    let out = async |body: Value| here.api.post("/auth/logout", body).await;
    // RFC 7009, section 2.2: what is no token of the caller's ends nothing, and is no error.
    for other in
        [&*stranger.refresh_token, "nonsense", "", &format!("rt.{}.a#b.c", here.id().await)]
    {
        out(json!({"refresh_token": other})).await.expect(204);
    }
    assert_eq!(out(json!({"refresh_token": 7})).await.wrong_fields()[0].0, "refresh_token");
    assert_eq!(out(json!({"all": "yes"})).await.wrong_fields()[0].0, "all");
    for user in [&here, &elsewhere, &stranger] {
        user.write().await.expect(200);
    }
    out(json!({"refresh_token": elsewhere.refresh_token})).await.expect(204);
    elsewhere.write().await.problem(401, "invalid_token");
    elsewhere.refresh(cloud).await.problem(401, "invalid_grant");
    here.write().await.expect(200);
    out(json!({"refresh_token": elsewhere.refresh_token, "all": false})).await.expect(204);
}

#[tokio::test]
async fn signing_out_everywhere_ends_all_sign_ins_and_not_the_next() {
    let cloud = cloud();
    let first = worker(cloud, &[]).await;
    let mut users = vec![first.clone()];
    for _ in 0..2 {
        users.push(User::sign_in(cloud, &first.username, &first.password).await);
    }
    let mut sockets = Vec::new();
    for user in &users {
        sockets.push(Socket::hello(user, json!({})).await.0);
    }
    first.api.post("/auth/logout", json!({"all": true})).await.expect(204);
    for user in &users {
        user.write().await.problem(401, "invalid_token");
        user.refresh(cloud).await.problem(401, "invalid_grant");
        // A sign-in that is over ends no others.
        user.api.post("/auth/logout", json!({"all": true})).await.problem(401, "invalid_token");
    }
    for socket in sockets {
        socket.closed().await;
    }
    let again = User::sign_in(cloud, &first.username, &first.password).await;
    again.write().await.expect(200);
    again.refresh(cloud).await.expect(200);
}

#[tokio::test]
async fn changing_the_password_takes_the_current_one_and_ends_all_other_sign_ins() {
    let cloud = cloud();
    let here = client(cloud).await;
    let elsewhere = User::sign_in(cloud, &here.username, &here.password).await;
    let (mut socket, _) = Socket::hello(&here, json!({})).await;
    let (other, _) = Socket::hello(&elsewhere, json!({})).await;
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
        assert_eq!(change(current, new).await.wrong_fields(), wrong);
    }
    for wrong in ["wrong horse", &"y".repeat(5000)] {
        change(wrong, "battery staple").await.problem(403, "wrong_password");
    }
    elsewhere.write().await.expect(200);

    assert_eq!(change(&here.password, "battery staple").await.expect(204), Value::Null);
    here.write().await.expect(200);
    pongs(&mut socket).await;
    elsewhere.write().await.problem(401, "invalid_token");
    elsewhere.refresh(cloud).await.problem(401, "invalid_grant");
    other.closed().await;
    sign_in(&cloud.client(), &here.username, &here.password).await.problem(401, "invalid_grant");
    let renewed = User::sign_in(cloud, &here.username, "battery staple").await;

    // The one that was kept ends with the next end of all.
    here.refresh(cloud).await.expect(200);
    renewed.api.post("/auth/logout", json!({"all": true})).await.expect(204);
    here.write().await.problem(401, "invalid_token");
}

#[tokio::test]
async fn of_two_who_change_the_password_at_once_one_does() {
    let cloud = cloud();
    let user = client(cloud).await;
    let (one, other) = (user.clone(), User::sign_in(cloud, &user.username, &user.password).await);
    let change = async |user: &User, new: &str| {
        let body = json!({"current_password": "correct horse", "new_password": new});
        user.api.post("/auth/password", body).await.status.as_u16()
    };
    let (a, b) =
        futures::join!(change(&one, "battery staple 1"), change(&other, "battery staple 2"));
    let mut statuses = [a, b];
    statuses.sort_unstable();
    // The loser finds the password changed (409 or 403), or itself signed out (401).
    assert!(statuses[0] == 204 && [401, 403, 409].contains(&statuses[1]), "{statuses:?}");
    let right = if a == 204 { "battery staple 1" } else { "battery staple 2" };
    User::sign_in(cloud, &user.username, right).await;
}

#[tokio::test]
async fn a_refresh_token_that_many_use_at_once_gives_all_of_them_the_same_successor() {
    let cloud = cloud();
    let user = client(cloud).await;
    let answers = futures::future::join_all((0..8).map(|_| user.refresh(cloud))).await;
    let mut successors: Vec<_> = answers
        .into_iter()
        .map(|answer| answer.expect(200)["refresh_token"].as_str().expect("a token").to_owned())
        .collect();
    successors.dedup();
    assert_eq!(successors.len(), 1, "{successors:?}");
    assert_ne!(successors[0], user.refresh_token);
    refresh(cloud, &successors[0]).await.expect(200);
    // Its successor was used: whoever sends the first one now has stolen it, or was stolen from.
    user.refresh(cloud).await.problem(401, "invalid_grant");
    user.write().await.problem(401, "invalid_token");
}

#[tokio::test]
async fn a_refresh_token_that_was_tampered_with_is_none_and_harms_no_sign_in_but_its_own() {
    let cloud = cloud();
    let (user, victim) = (client(cloud).await, client(cloud).await);
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
    user.refresh(cloud).await.expect(200);
    // Whoever knows a session's name, which no one else is told, and not its token, can end it and
    // nothing more.
    refresh(cloud, &format!("rt.{victim_id}.{victim_session}.{bits}"))
        .await
        .problem(401, "invalid_grant");
    let answer = cloud.client().form("/auth/token", &[("grant_type", "refresh_token")]).await;
    assert_eq!(answer.wrong_fields(), [("refresh_token".to_owned(), "required".to_owned())]);
}
