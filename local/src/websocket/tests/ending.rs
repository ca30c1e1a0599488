use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use super::*;

/// Waits for `$disconnect`, sees that it names `id`, that the id is gone and that there is no
/// second one; its code and reason.
async fn disconnected(world: &World, client: Option<Client>, id: &str) -> (u64, String) {
    drop(client);
    let event = world.event("fn $disconnect").await;
    let context = &event["requestContext"];
    assert_eq!(
        (&context["connectionId"], &context["routeKey"]),
        (&json!(id), &json!("$disconnect"))
    );
    for method in ["POST", "GET", "DELETE"] {
        let answer = world.manage(method, &format!("/prod/@connections/{id}"), "", None).await;
        assert_eq!(answer.status, 410, "{method}");
    }
    let running = world.running.lock().unwrap().take().unwrap();
    world.shutdown.cancel();
    running.drained().await;
    assert_eq!(world.count("fn $disconnect"), 1, "exactly once");
    (
        context["disconnectStatusCode"].as_u64().unwrap(),
        context["disconnectReason"].as_str().unwrap().to_owned(),
    )
}

fn end(code: u64, reason: &str) -> (u64, String) {
    (code, reason.to_owned())
}

#[tokio::test]
async fn disconnect_is_invoked_with_the_event_of_api_gateway() {
    let world = Setup::default().start().await;
    let (mut client, id) = world.connected().await;
    client.close(None).await.unwrap();
    let event = world.event("fn $disconnect").await;
    let context = &event["requestContext"];
    let expected = json!({
        "headers": {"Host": world.ws, "x-api-key": "", "X-Forwarded-For": "", "x-restapi": ""},
        "multiValueHeaders": {"Host": [world.ws], "x-api-key": [""], "X-Forwarded-For": [""], "x-restapi": [""]},
        "requestContext": {
            "routeKey": "$disconnect", "disconnectStatusCode": 1005, "eventType": "DISCONNECT", "messageDirection": "IN",
            "disconnectReason": "Client-side close frame status not set", "stage": "prod", "apiId": "Live",
            "domainName": world.ws, "connectionId": id, "identity": {"sourceIp": "127.0.0.1"},
            "connectedAt": world.event("fn $connect").await["requestContext"]["connectedAt"],
            "requestId": context["requestId"], "extendedRequestId": context["requestId"],
            "requestTime": context["requestTime"], "requestTimeEpoch": context["requestTimeEpoch"],
        },
        "isBase64Encoded": false,
    });
    assert_eq!(event, expected);
}

#[tokio::test]
async fn a_client_that_closes_without_a_code_is_1005() {
    let world = Setup::default().start().await;
    let (mut client, id) = world.connected().await;
    client.close(None).await.unwrap();
    assert_eq!(closed(&mut client).await, None);
    assert_eq!(
        disconnected(&world, Some(client), &id).await,
        end(1005, "Client-side close frame status not set")
    );
}

#[tokio::test]
async fn a_clients_close_code_is_echoed_and_reaches_disconnect() {
    let world = Setup::default().start().await;
    let (mut client, id) = world.connected().await;
    client.close(Some(CloseFrame { code: 4001.into(), reason: "bye".into() })).await.unwrap();
    assert_eq!(closed(&mut client).await, Some((4001, "bye".to_owned())));
    assert_eq!(disconnected(&world, Some(client), &id).await, end(4001, "bye"));
}

#[tokio::test]
async fn a_client_whose_tcp_connection_drops_is_1006() {
    let world = Setup::default().start().await;
    let (client, id) = world.connected().await;
    drop(client);
    assert_eq!(disconnected(&world, None, &id).await, end(1006, "Connection closed abnormally"));
}

#[tokio::test]
async fn a_connection_without_messages_is_closed_with_1001_though_it_pings() {
    let quotas = Quotas { idle_timeout: Duration::from_millis(400), ..Quotas::default() };
    let world = Setup { quotas, ..Setup::default() }.start().await;
    let (mut client, id) = world.connected().await;
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        client.send(Message::Ping(Bytes::new())).await.unwrap();
    }
    assert_eq!(closed(&mut client).await, Some((1001, "Going away".to_owned())));
    assert_eq!(disconnected(&world, Some(client), &id).await, end(1001, "Going away"));
}

#[tokio::test]
async fn messages_in_either_direction_keep_a_connection_from_being_idle() {
    let quotas = Quotas { idle_timeout: Duration::from_millis(1500), ..Quotas::default() };
    let world = Setup { quotas, ..Setup::default() }.start().await;
    let (mut client, id) = world.connected().await;
    // Each pair of messages is 1.2 s apart, and together they take longer than the timeout.
    for _ in 0..2 {
        tokio::time::sleep(Duration::from_millis(600)).await;
        say(&mut client, "in").await;
        tokio::time::sleep(Duration::from_millis(600)).await;
        assert_eq!(world.post(&id, "out").await.status, 200, "not idle");
        assert_eq!(text(&mut client).await, "out");
    }
    assert_eq!(closed(&mut client).await, Some((1001, "Going away".to_owned())));
}

#[tokio::test]
async fn a_connection_is_closed_with_1001_at_its_maximum_duration() {
    let quotas = Quotas { max_duration: Duration::from_millis(100), ..Quotas::default() };
    let world = Setup { quotas, ..Setup::default() }.start().await;
    let (mut client, id) = world.connected().await;
    assert_eq!(closed(&mut client).await, Some((1001, "Going away".to_owned())));
    assert_eq!(disconnected(&world, Some(client), &id).await, end(1001, "Going away"));
}

#[tokio::test]
async fn a_frame_over_32_kb_is_closed_with_1009() {
    let world = Setup::default().start().await;
    let (mut client, id) = world.connected().await;
    say(&mut client, &"x".repeat(32 * 1024)).await;
    world.event("fn $default").await;
    say(&mut client, &"x".repeat(32 * 1024 + 1)).await;
    assert_eq!(closed(&mut client).await.unwrap().0, 1009);
    assert_eq!(disconnected(&world, Some(client), &id).await.0, 1009);
    assert_eq!(world.count("fn $default"), 1);
}

#[tokio::test]
async fn a_frame_too_big_for_the_sockets_buffers_still_gets_its_close_frame() {
    let world = Setup::default().start().await;
    let (client, id) = world.connected().await;
    let (mut sink, mut stream) = client.split();
    // The client writes all of it before it reads: a reset would lose the close frame.
    sink.send(Message::text("x".repeat(8 * 1024 * 1024))).await.unwrap();
    let frame = tokio::time::timeout(SOON, stream.next()).await.unwrap().unwrap().unwrap();
    assert!(
        matches!(frame, Message::Close(Some(CloseFrame { code, .. })) if u16::from(code) == 1009)
    );
    drop((sink, stream));
    assert_eq!(disconnected(&world, None, &id).await.0, 1009);
}

#[tokio::test]
async fn a_message_over_128_kb_is_closed_with_1009() {
    let world = Setup::default().start().await;
    let (mut client, id) = world.connected().await;
    for n in 0..5 {
        let data = if n == 0 { Data::Text } else { Data::Continue };
        let size = if n == 4 { 1 } else { 32 * 1024 };
        client
            .send(Message::Frame(Frame::message(vec![b'x'; size], OpCode::Data(data), n == 4)))
            .await
            .unwrap();
    }
    assert_eq!(closed(&mut client).await.unwrap().0, 1009);
    assert_eq!(disconnected(&world, Some(client), &id).await.0, 1009);
    assert_eq!(world.count("fn $default"), 0);
}

#[tokio::test]
async fn a_binary_message_is_closed_with_1003() {
    let world = Setup::default().start().await;
    let (mut client, id) = world.connected().await;
    client.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    assert_eq!(closed(&mut client).await.unwrap().0, 1003);
    assert_eq!(disconnected(&world, Some(client), &id).await.0, 1003);
    assert_eq!(world.count("fn $default"), 0);
}

#[tokio::test]
async fn delete_closes_with_1000_after_the_messages_before_it() {
    let world = Setup::default().start().await;
    let (mut client, id) = world.connected().await;
    for n in 0..20 {
        assert_eq!(world.post(&id, format!("{n}")).await.status, 200);
    }
    assert_eq!(
        world.manage("DELETE", &format!("/prod/@connections/{id}"), "", None).await.status,
        204
    );
    assert_eq!(world.post(&id, "late").await.status, 410, "gone at once");
    assert_eq!(
        world.manage("DELETE", &format!("/prod/@connections/{id}"), "", None).await.status,
        410
    );
    for n in 0..20 {
        assert_eq!(text(&mut client).await, n.to_string());
    }
    assert_eq!(closed(&mut client).await, Some((1000, "Connection Closed Normally".to_owned())));
    assert_eq!(
        disconnected(&world, Some(client), &id).await,
        end(1000, "Connection Closed Normally")
    );
}

#[tokio::test]
async fn a_shutdown_closes_every_connection_and_waits_for_their_disconnects() {
    let replies: Replies = Arc::new(|function, _| {
        Box::pin(async move {
            if function == "fn $disconnect" {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            ok()
        })
    });
    let world = Setup { replies, ..Setup::default() }.start().await;
    let mut clients = vec![world.client().await, world.client().await, world.client().await];
    let running = world.running.lock().unwrap().take().unwrap();
    world.shutdown.cancel();
    let gateway = Arc::clone(&running.gateway);
    let drained = tokio::spawn(running.drained());
    for client in &mut clients {
        assert_eq!(closed(client).await, Some((1012, "Service restart".to_owned())));
    }
    drop(clients);
    drained.await.unwrap();
    assert_eq!((world.count("fn $disconnect"), gateway.tasks.len()), (3, 0));
    assert!(TcpStream::connect(&world.ws).await.is_err(), "no longer listening");
}

/// A world that closes its connections at once, and the time it gives clients to answer.
async fn closing(close_handshake: Duration) -> World {
    let max_duration = Duration::from_millis(50);
    let quotas = Quotas { max_duration, close_handshake, ..Quotas::default() };
    Setup { quotas, ..Setup::default() }.start().await
}

#[tokio::test]
async fn disconnect_does_not_wait_for_a_client_that_does_not_answer_a_close() {
    let world = closing(2 * SOON).await;
    let _silent = world.connected().await;
    world.event("fn $disconnect").await;
}

#[tokio::test]
async fn a_client_that_does_not_answer_a_close_is_dropped() {
    let world = closing(Duration::from_millis(50)).await;
    let _silent = world.connected().await;
    let running = world.running.lock().unwrap().take().unwrap();
    let tasks = running.gateway.tasks.clone();
    world.event("fn $disconnect").await;
    world.shutdown.cancel();
    tasks.close();
    tokio::time::timeout(SOON, tasks.wait()).await.expect("its task ends");
}

#[tokio::test]
async fn a_failing_disconnect_function_harms_nobody() {
    let world =
        Setup::replying(|function, _| if function == "fn $disconnect" { failed() } else { ok() })
            .start()
            .await;
    let (client, id) = world.connected().await;
    drop(client);
    assert_eq!(disconnected(&world, None, &id).await.0, 1006);
}
