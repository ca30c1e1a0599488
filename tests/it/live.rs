//! Tickets, sockets and feeds.

use serde_json::{Value, json};

use crate::support::{Cloud, Socket, User, admin, client, cloud, pay, service, unique, worker};

/// An order of a new service, paid for, accepted by `worker`.
pub async fn assigned(cloud: &Cloud, client: &User, worker: &User) -> String {
    let service = service(cloud, &unique("Live ")).await;
    let order = client.api.post("/orders", json!({"service_id": service["id"]})).await.expect(201);
    let id = order["id"].as_str().unwrap().to_owned();
    assert_eq!(pay(cloud, client, &id, "pm_card_visa").await["status"], 200);
    let path = format!("/orders/{id}/accept");
    for _ in 0..100 {
        let accepted = worker.api.post(&path, json!({})).await;
        if accepted.status == 200 {
            return id;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("{id} does not open");
}

async fn id(user: &User) -> String {
    user.api.get("/auth/me").await.expect(200)["id"].as_str().unwrap().to_owned()
}

/// All entries of a feed, as HTTP gives them.
async fn feed(user: &User, feed: &str) -> Value {
    user.api.get(&format!("/live/feed?feed={feed}")).await.expect(200)
}

#[tokio::test]
async fn a_ticket_opens_one_socket_and_nothing_else_opens_any() {
    let cloud = cloud();
    let client = client(cloud).await;
    cloud.client().post("/live/tickets", json!({})).await.problem(401, "unauthenticated");
    client
        .api
        .post("/live/tickets", json!({"for": "ever"}))
        .await
        .problem(422, "validation_failed");
    let ticket = client.api.post("/live/tickets", json!({})).await.expect(200);
    assert_eq!(ticket["expires_in"], 60);
    assert_eq!(ticket["user_id"], id(&client).await.as_str());
    let (token, url) = (ticket["ticket"].as_str().unwrap(), ticket["url"].as_str().unwrap());
    assert!(url.ends_with(&format!("?ticket={token}")), "{url}");
    let bare = url.split('?').next().unwrap();

    assert_eq!(Socket::refused(bare, None).await, 401);
    assert_eq!(Socket::refused(&format!("{bare}?ticket="), None).await, 401);
    assert_eq!(Socket::refused(&format!("{bare}?ticket=tk_{}", "A".repeat(43)), None).await, 401);
    assert_eq!(Socket::refused(url, Some("https://evil.example")).await, 403);
    assert_eq!(Socket::refused(url, Some("null")).await, 403);
    // A handshake that was refused for its origin has not used the ticket up.
    let mut socket =
        Socket::open(url, Some("http://localhost:8000")).await.expect("an allowed origin");
    assert_eq!(Socket::refused(url, None).await, 401, "a ticket is good once");
    socket.send(json!({"action": "ping"})).await;
    assert_eq!(socket.next().await, json!({"type": "pong"}));
}

#[tokio::test]
async fn whatever_is_sent_over_a_socket_is_answered_and_it_stays_open() {
    let client = client(cloud()).await;
    let mut socket = Socket::connect(&client).await;
    for (message, code) in [
        ("no JSON", "malformed_request"),
        ("[1]", "malformed_request"),
        ("{}", "malformed_request"),
        (r#"{"action":"$connect"}"#, "unknown_action"),
        (r#"{"action":"hello","after":[]}"#, "validation_failed"),
        (r#"{"action":"hello","after":{"user:x":-1}}"#, "validation_failed"),
    ] {
        socket.send_text(message).await;
        let answer = socket.next().await;
        assert_eq!(
            (&answer["type"], &answer["code"]),
            (&json!("error"), &json!(code)),
            "{message}"
        );
        assert!(answer["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
    }
    socket.send_text(&format!(r#"{{"action":"ping","pad":"{}"}}"#, "x".repeat(20_000))).await;
    assert_eq!(socket.next().await["code"], "body_too_large");
    socket.send(json!({"action": "ping"})).await;
    assert_eq!(socket.next().await, json!({"type": "pong"}));
}

#[tokio::test]
async fn a_client_that_was_away_gets_what_it_missed_the_same_over_the_socket_and_over_http() {
    let cloud = cloud();
    let (client, worker) = (client(cloud).await, worker(cloud, &[&unique("Live ")]).await);
    let own = format!("user:{}", id(&client).await);
    let mut silent = Socket::connect(&client).await;
    let order = assigned(cloud, &client, &worker).await;

    let (mut socket, welcome) = Socket::hello(&client, json!({&own: 0})).await;
    assert_eq!(welcome["user_id"], own.trim_start_matches("user:"));
    assert_eq!(welcome["role"], "client");
    let mut entries = vec![socket.next().await];
    while entries.last().unwrap()["type"] != "order.assigned" {
        entries.push(socket.next().await);
    }
    let types: Vec<_> = entries.iter().map(|e| e["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["payment.paid", "order.assigned"]);
    assert_eq!(entries.iter().map(|e| e["seq"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 2]);
    assert!(entries.iter().all(|e| e["feed"] == own.as_str() && e["data"]["id"] == order.as_str()));
    let stored = feed(&client, &own).await;
    assert_eq!((&stored["items"], &stored["last"]), (&json!(entries), &json!(2)));
    let rest = client.api.get(&format!("/live/feed?feed={own}&after=1&limit=1")).await.expect(200);
    assert_eq!(rest["items"], json!([entries[1]]));

    // The other socket has said nothing and was told nothing; it says what it has seen, and gets
    // the rest.
    silent.send(json!({"action": "hello", "after": {&own: 1}})).await;
    let welcome = silent.next().await;
    assert_eq!((&welcome["type"], &welcome["feeds"][&own]), (&json!("welcome"), &json!(2)));
    assert_eq!(silent.next().await, entries[1]);
    worker.api.post(&format!("/orders/{order}/deliver"), json!({})).await.expect(200);
    for socket in [&mut socket, &mut silent] {
        let delivered = socket.next().await;
        assert_eq!((&delivered["type"], &delivered["seq"]), (&json!("order.delivered"), &json!(3)));
    }
}

#[tokio::test]
async fn feeds_of_others_are_refused_over_the_socket_and_over_http() {
    let cloud = cloud();
    let (ann, bob) = (client(cloud).await, client(cloud).await);
    let bobs = format!("user:{}", id(&bob).await);
    for foreign in [&bobs, "role:admins", "role:workers", "workers:*", "workers:design"] {
        ann.api.get(&format!("/live/feed?feed={foreign}")).await.problem(403, "forbidden");
    }
    let wrong = ann.api.get("/live/feed?feed=role:kings&after=x").await.wrong_fields();
    assert_eq!(
        wrong.iter().map(|(field, _)| field.as_str()).collect::<Vec<_>>(),
        ["feed", "after"]
    );
    let (mut socket, welcome) = Socket::hello(&ann, json!({&bobs: 0, "role:kings": 0})).await;
    let own = format!("user:{}", id(&ann).await);
    let feeds: Vec<_> = welcome["feeds"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(feeds, ["role:clients", own.as_str()]);
    let codes = [socket.next().await, socket.next().await]
        .map(|frame| (frame["feed"].clone(), frame["code"].clone()));
    assert_eq!(
        codes,
        [(json!("role:kings"), json!("not_found")), (json!(bobs), json!("forbidden"))]
    );
}

#[tokio::test]
async fn a_broadcast_reaches_everyone_of_its_role_once_and_nobody_else() {
    let cloud = cloud();
    let (admin, client) = (admin(cloud).await, client(cloud).await);
    let workers = [worker(cloud, &[]).await, worker(cloud, &["design"]).await];
    let mut sockets = Vec::new();
    for worker in &workers {
        sockets.push(Socket::hello(worker, json!({})).await.0);
    }
    let (mut clients, _) = Socket::hello(&client, json!({})).await;
    let body = json!({"role": "worker", "text": unique("Maintenance ")});
    client.api.post("/live/broadcasts", body.clone()).await.problem(403, "forbidden");
    admin
        .api
        .post("/live/broadcasts", json!({"role": "king", "text": ""}))
        .await
        .problem(422, "validation_failed");
    let keyed = admin.api.with("idempotency-key", &unique("key"));
    let sent = keyed.post("/live/broadcasts", body.clone()).await.expect(202);
    assert_eq!(keyed.post("/live/broadcasts", body.clone()).await.expect(202), sent);
    keyed
        .post("/live/broadcasts", json!({"role": "worker", "text": "Else"}))
        .await
        .problem(422, "idempotency_key_reused");
    for socket in &mut sockets {
        let entry = loop {
            let frame = socket.next().await;
            if frame["data"]["text"] == body["text"] {
                break frame;
            }
        };
        assert_eq!((&entry["type"], &entry["feed"]), (&json!("broadcast"), &json!("role:workers")));
        assert_eq!(entry["data"], json!({"id": sent["id"], "text": body["text"]}));
    }
    clients.send(json!({"action": "ping"})).await;
    assert_eq!(clients.next().await, json!({"type": "pong"}), "a client is not told");
    let stored = feed(&workers[0], "role:workers").await;
    let stored =
        stored["items"].as_array().unwrap().iter().filter(|e| e["data"]["id"] == sent["id"]);
    assert_eq!(stored.count(), 1);
}

#[tokio::test]
async fn the_client_and_the_worker_of_an_order_write_to_each_other_and_no_one_reads_along() {
    let cloud = cloud();
    let (client, worker) = (client(cloud).await, worker(cloud, &[&unique("Live ")]).await);
    let order = assigned(cloud, &client, &worker).await;
    let path = format!("/orders/{order}/messages");
    let (mut socket, _) = Socket::hello(&worker, json!({})).await;
    let keyed = client.api.with("idempotency-key", &unique("key"));
    let sent = keyed.post(&path, json!({"text": "When can you start?"})).await.expect(201);
    assert_eq!(keyed.post(&path, json!({"text": "When can you start?"})).await.expect(201), sent);
    let entry = socket.next().await;
    assert_eq!((&entry["type"], &entry["data"]), (&json!("message.received"), &sent));
    assert_eq!(sent["from"]["username"], client.username.as_str());
    worker.api.post(&path, json!({"text": "At once."})).await.expect(201);
    for user in [&client, &worker] {
        let listed = user.api.get(&path).await.expect(200);
        let texts: Vec<_> = listed["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|m| m["text"].as_str().unwrap())
            .collect();
        assert_eq!(texts, ["At once.", "When can you start?"]);
    }
    let outsider = crate::support::worker(cloud, &[]).await;
    for (user, status, code) in
        [(&outsider, 404, "not_found"), (&admin(cloud).await, 403, "forbidden")]
    {
        user.api.get(&path).await.problem(status, code);
        user.api.post(&path, json!({"text": "Me, too!"})).await.problem(status, code);
    }
    client.api.post(&path, json!({"text": " "})).await.problem(422, "validation_failed");
}

#[tokio::test]
async fn a_user_has_at_most_ten_sockets_and_the_oldest_makes_room() {
    let client = client(cloud()).await;
    let mut sockets = Vec::new();
    for _ in 0..11 {
        sockets.push(Socket::connect(&client).await);
    }
    sockets.remove(0).closed().await;
    for socket in &mut sockets {
        socket.send(json!({"action": "ping"})).await;
        assert_eq!(socket.next().await, json!({"type": "pong"}));
    }
}

#[tokio::test]
async fn the_sockets_of_a_sign_in_close_when_a_stolen_refresh_token_ends_it() {
    let cloud = cloud();
    let client = client(cloud).await;
    let elsewhere = User::sign_in(cloud, &client.username, &client.password).await;
    let (socket, _) = Socket::hello(&client, json!({})).await;
    let (mut other, _) = Socket::hello(&elsewhere, json!({})).await;
    let mut token = client.refresh_token.clone();
    for _ in 0..2 {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", token.as_str())];
        let next = client.api.form("/auth/token", &fields).await.expect(200);
        token = next["refresh_token"].as_str().unwrap().to_owned();
    }
    let fields =
        [("grant_type", "refresh_token"), ("refresh_token", client.refresh_token.as_str())];
    assert_ne!(client.api.form("/auth/token", &fields).await.status, 200);
    socket.closed().await;
    client.api.post("/live/tickets", json!({})).await.problem(401, "invalid_token");
    other.send(json!({"action": "ping"})).await;
    assert_eq!(other.next().await, json!({"type": "pong"}), "the other sign-in goes on");
}
