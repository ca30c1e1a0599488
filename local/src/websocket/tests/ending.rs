use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use super::*;

/// Drops the client, waits for `$disconnect`, and returns its code and reason. Checks that it is
/// for the connection `id`, and that this connection is gone. Then shuts the API down, and checks
/// that `$disconnect` ran only once.
async fn await_disconnect(api: &TestApi, client: Option<Client>, id: &str) -> (u64, String) {
    drop(client);
    let event = api.event("fn $disconnect").await;
    let context = &event["requestContext"];
    assert_eq!(
        (&context["connectionId"], &context["routeKey"]),
        (&json!(id), &json!("$disconnect"))
    );
    for method in ["POST", "GET", "DELETE"] {
        let answer = api.manage(method, &format!("/prod/@connections/{id}"), "").await;
        assert_eq!(answer.status, 410, "{method}");
    }
    let running = api.running.lock().unwrap().take().unwrap();
    api.shutdown.cancel();
    running.drained().await;
    assert_eq!(api.count("fn $disconnect"), 1, "exactly once");
    (
        context["disconnectStatusCode"].as_u64().unwrap(),
        context["disconnectReason"].as_str().unwrap().to_owned(),
    )
}

fn code_and_reason(code: u64, reason: &str) -> (u64, String) {
    (code, reason.to_owned())
}

#[tokio::test]
async fn disconnect_receives_api_gateways_event() {
    let api = Setup::default().start().await;
    let (mut client, id) = api.connect_with_id().await;
    client.close(None).await.unwrap();
    let event = api.event("fn $disconnect").await;
    let context = &event["requestContext"];
    let expected = json!({
        "headers": {"Host": api.ws, "x-api-key": "", "X-Forwarded-For": "", "x-restapi": ""},
        "multiValueHeaders": {"Host": [api.ws], "x-api-key": [""], "X-Forwarded-For": [""], "x-restapi": [""]},
        "requestContext": {
            "routeKey": "$disconnect", "disconnectStatusCode": 1005, "eventType": "DISCONNECT", "messageDirection": "IN",
            "disconnectReason": "Client-side close frame status not set", "stage": "prod", "apiId": "Live",
            "domainName": api.ws, "connectionId": id, "identity": {"sourceIp": "127.0.0.1"},
            "connectedAt": api.event("fn $connect").await["requestContext"]["connectedAt"],
            "requestId": context["requestId"], "extendedRequestId": context["requestId"],
            "requestTime": context["requestTime"], "requestTimeEpoch": context["requestTimeEpoch"],
        },
        "isBase64Encoded": false,
    });
    assert_eq!(event, expected);
}

#[tokio::test]
async fn a_close_without_a_code_reaches_disconnect_as_1005() {
    let api = Setup::default().start().await;
    let (mut client, id) = api.connect_with_id().await;
    client.close(None).await.unwrap();
    assert_eq!(close_frame(&mut client).await, None);
    assert_eq!(
        await_disconnect(&api, Some(client), &id).await,
        code_and_reason(1005, "Client-side close frame status not set")
    );
}

#[tokio::test]
async fn a_clients_close_code_is_echoed_and_reaches_disconnect() {
    let api = Setup::default().start().await;
    let (mut client, id) = api.connect_with_id().await;
    client.close(Some(CloseFrame { code: 4001.into(), reason: "bye".into() })).await.unwrap();
    assert_eq!(close_frame(&mut client).await, Some((4001, "bye".to_owned())));
    assert_eq!(await_disconnect(&api, Some(client), &id).await, code_and_reason(4001, "bye"));
}

#[tokio::test]
async fn a_dropped_tcp_connection_reaches_disconnect_as_1006() {
    let api = Setup::default().start().await;
    let (client, id) = api.connect_with_id().await;
    drop(client);
    assert_eq!(
        await_disconnect(&api, None, &id).await,
        code_and_reason(1006, "Connection closed abnormally")
    );
}

#[tokio::test]
async fn a_connection_that_only_pings_is_closed_with_1001() {
    let quotas = Quotas { idle_timeout: Duration::from_millis(400), ..Quotas::default() };
    let api = Setup { quotas, ..Setup::default() }.start().await;
    let (mut client, id) = api.connect_with_id().await;
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        client.send(Message::Ping(Bytes::new())).await.unwrap();
    }
    assert_eq!(close_frame(&mut client).await, Some((1001, "Going away".to_owned())));
    assert_eq!(
        await_disconnect(&api, Some(client), &id).await,
        code_and_reason(1001, "Going away")
    );
}

#[tokio::test]
async fn messages_in_either_direction_reset_the_idle_timeout() {
    let quotas = Quotas { idle_timeout: Duration::from_millis(1800), ..Quotas::default() };
    let api = Setup { quotas, ..Setup::default() }.start().await;
    let (mut client, id) = api.connect_with_id().await;
    // Messages in the same direction are 2 s apart, longer than the timeout. So the connection
    // stays open only if both directions reset the timeout.
    for _ in 0..2 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        send_text(&mut client, "in").await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(api.post(&id, "out").await.status, 200, "not idle");
        assert_eq!(next_text(&mut client).await, "out");
    }
    assert_eq!(close_frame(&mut client).await, Some((1001, "Going away".to_owned())));
}

#[tokio::test]
async fn a_connection_is_closed_with_1001_at_its_maximum_duration() {
    let quotas = Quotas { max_duration: Duration::from_millis(100), ..Quotas::default() };
    let api = Setup { quotas, ..Setup::default() }.start().await;
    let (mut client, id) = api.connect_with_id().await;
    assert_eq!(close_frame(&mut client).await, Some((1001, "Going away".to_owned())));
    assert_eq!(
        await_disconnect(&api, Some(client), &id).await,
        code_and_reason(1001, "Going away")
    );
}

#[tokio::test]
async fn a_frame_over_32_kb_closes_the_connection_with_1009() {
    let api = Setup::default().start().await;
    let (mut client, id) = api.connect_with_id().await;
    send_text(&mut client, &"x".repeat(32 * 1024)).await;
    api.event("fn $default").await;
    send_text(&mut client, &"x".repeat(32 * 1024 + 1)).await;
    assert_eq!(close_frame(&mut client).await.unwrap().0, 1009);
    assert_eq!(await_disconnect(&api, Some(client), &id).await.0, 1009);
    assert_eq!(api.count("fn $default"), 1);
}

#[tokio::test]
async fn a_client_receives_the_close_frame_even_after_a_huge_frame() {
    let api = Setup::default().start().await;
    let (client, id) = api.connect_with_id().await;
    let (mut sink, mut stream) = client.split();
    // The client writes everything before it reads. If the server reset the TCP connection, the
    // client would lose the close frame.
    sink.send(Message::text("x".repeat(8 * 1024 * 1024))).await.unwrap();
    let frame = tokio::time::timeout(TIMEOUT, stream.next()).await.unwrap().unwrap().unwrap();
    assert!(
        matches!(frame, Message::Close(Some(CloseFrame { code, .. })) if u16::from(code) == 1009)
    );
    drop((sink, stream));
    assert_eq!(await_disconnect(&api, None, &id).await.0, 1009);
}

#[tokio::test]
async fn a_message_over_128_kb_closes_the_connection_with_1009() {
    let api = Setup::default().start().await;
    let (mut client, id) = api.connect_with_id().await;
    for n in 0..5 {
        let data = if n == 0 { Data::Text } else { Data::Continue };
        let size = if n == 4 { 1 } else { 32 * 1024 };
        client
            .send(Message::Frame(Frame::message(vec![b'x'; size], OpCode::Data(data), n == 4)))
            .await
            .unwrap();
    }
    assert_eq!(close_frame(&mut client).await.unwrap().0, 1009);
    assert_eq!(await_disconnect(&api, Some(client), &id).await.0, 1009);
    assert_eq!(api.count("fn $default"), 0);
}

#[tokio::test]
async fn a_binary_message_closes_the_connection_with_1003() {
    let api = Setup::default().start().await;
    let (mut client, id) = api.connect_with_id().await;
    client.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    assert_eq!(close_frame(&mut client).await.unwrap().0, 1003);
    assert_eq!(await_disconnect(&api, Some(client), &id).await.0, 1003);
    assert_eq!(api.count("fn $default"), 0);
}

#[tokio::test]
async fn delete_closes_with_1000_after_the_messages_before_it() {
    let api = Setup::default().start().await;
    let (mut client, id) = api.connect_with_id().await;
    for n in 0..20 {
        assert_eq!(api.post(&id, format!("{n}")).await.status, 200);
    }
    assert_eq!(api.manage("DELETE", &format!("/prod/@connections/{id}"), "").await.status, 204);
    assert_eq!(api.post(&id, "late").await.status, 410, "the connection is gone at once");
    assert_eq!(api.manage("DELETE", &format!("/prod/@connections/{id}"), "").await.status, 410);
    for n in 0..20 {
        assert_eq!(next_text(&mut client).await, n.to_string());
    }
    assert_eq!(
        close_frame(&mut client).await,
        Some((1000, "Connection Closed Normally".to_owned()))
    );
    assert_eq!(
        await_disconnect(&api, Some(client), &id).await,
        code_and_reason(1000, "Connection Closed Normally")
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
    let api = Setup { replies, ..Setup::default() }.start().await;
    let mut clients = vec![api.client().await, api.client().await, api.client().await];
    let running = api.running.lock().unwrap().take().unwrap();
    api.shutdown.cancel();
    let gateway = Arc::clone(&running.gateway);
    let drained = tokio::spawn(running.drained());
    for client in &mut clients {
        assert_eq!(close_frame(client).await, Some((1012, "Service restart".to_owned())));
    }
    drop(clients);
    drained.await.unwrap();
    assert_eq!((api.count("fn $disconnect"), gateway.tasks.len()), (3, 0));
    assert!(TcpStream::connect(&api.ws).await.is_err(), "the API no longer listens");
}

/// Starts an API that closes its connections at once and gives clients this long to answer.
async fn start_closing(close_handshake: Duration) -> TestApi {
    let max_duration = Duration::from_millis(50);
    let quotas = Quotas { max_duration, close_handshake, ..Quotas::default() };
    Setup { quotas, ..Setup::default() }.start().await
}

#[tokio::test]
async fn disconnect_does_not_wait_for_a_client_that_does_not_answer_a_close() {
    let api = start_closing(2 * TIMEOUT).await;
    let _silent = api.connect_with_id().await;
    api.event("fn $disconnect").await;
}

#[tokio::test]
async fn a_client_that_does_not_answer_a_close_is_dropped() {
    let api = start_closing(Duration::from_millis(50)).await;
    let _silent = api.connect_with_id().await;
    let running = api.running.lock().unwrap().take().unwrap();
    let tasks = running.gateway.tasks.clone();
    api.event("fn $disconnect").await;
    api.shutdown.cancel();
    tasks.close();
    tokio::time::timeout(TIMEOUT, tasks.wait()).await.expect("the connection's task ends");
}

#[tokio::test]
async fn a_failing_disconnect_function_has_no_effect() {
    let api =
        Setup::replying(|function, _| if function == "fn $disconnect" { failed() } else { ok() })
            .start()
            .await;
    let (client, id) = api.connect_with_id().await;
    drop(client);
    assert_eq!(await_disconnect(&api, None, &id).await.0, 1006);
}
