use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use super::*;

#[tokio::test]
async fn a_message_invokes_its_route_with_api_gateways_event() {
    let api = Setup::default().start().await;
    let (mut client, id) = api.connect_with_id().await;
    let body = r#"{"action": "hello", "n": 1}"#;
    send_text(&mut client, body).await;
    let event = api.event("fn hello").await;
    let context = &event["requestContext"];
    let connect = &api.event("fn $connect").await["requestContext"];
    let expected = json!({
        "requestContext": {
            "routeKey": "hello", "eventType": "MESSAGE", "messageDirection": "IN", "stage": "prod", "apiId": "Live",
            "domainName": api.ws, "connectionId": id, "identity": {"sourceIp": "127.0.0.1"},
            "connectedAt": connect["connectedAt"],
            "messageId": context["messageId"], "requestId": context["requestId"], "extendedRequestId": context["requestId"],
            "requestTime": context["requestTime"], "requestTimeEpoch": context["requestTimeEpoch"],
        },
        "body": body,
        "isBase64Encoded": false,
    });
    assert_eq!(event, expected);
    let ids = ["messageId", "requestId"].map(|name| context[name].as_str().unwrap());
    assert!(ids[0] != ids[1] && ids.iter().all(|id| super::super::id::is_well_formed(id)));
}

#[tokio::test]
async fn messages_that_select_no_route_take_the_default_route() {
    let api = Setup::default().start().await;
    let mut client = api.client().await;
    for (n, message) in ["not json", r#"{"action": "unknown"}"#, r#"{"action": "$connect"}"#]
        .into_iter()
        .enumerate()
    {
        send_text(&mut client, message).await;
        let event = api.nth_event("fn $default", n).await;
        assert_eq!(
            (&event["body"], &event["requestContext"]["routeKey"]),
            (&json!(message), &json!("$default"))
        );
    }
    assert_eq!(api.count("fn $connect"), 1);
}

#[tokio::test]
async fn a_message_without_a_route_gets_forbidden_and_the_socket_stays_open() {
    let api = Setup { routes: vec!["$connect", "hello"], ..Setup::default() }.start().await;
    let (mut client, id) = api.connect_with_id().await;
    send_text(&mut client, "no route").await;
    let frame = next_text(&mut client).await;
    assert!(
        frame.starts_with(&format!(
            r#"{{"message": "Forbidden", "connectionId":"{id}", "requestId":""#
        )),
        "{frame}"
    );
    serde_json::from_str::<Value>(&frame).unwrap();
    send_text(&mut client, r#"{"action": "hello"}"#).await;
    api.event("fn hello").await;
}

#[tokio::test]
async fn a_function_that_fails_is_reported_to_the_client_and_the_socket_stays_open() {
    let results: [fn() -> Result<Invocation, InvokeError>; 3] = [
        failed,
        || Err(InvokeError::Unavailable("crashed at init".to_owned())),
        || replied(&json!("no status")),
    ];
    for result in results {
        let reply = move |function: &str, _: &Value| {
            if function == "fn hello" { result() } else { ok() }
        };
        let api = Setup::replying(reply).start().await;
        let (mut client, id) = api.connect_with_id().await;
        send_text(&mut client, r#"{"action": "hello"}"#).await;
        let frame: Value = serde_json::from_str(&next_text(&mut client).await).unwrap();
        let request_id = &api.event("fn hello").await["requestContext"]["requestId"];
        let expected = json!({"message": "Internal server error", "connectionId": id, "requestId": request_id});
        assert_eq!(frame, expected);
        send_text(&mut client, "still there").await;
        api.event("fn $default").await;
    }
}

#[tokio::test]
async fn a_function_that_takes_too_long_is_reported_to_the_client() {
    let replies: Replies = Arc::new(|function, _| {
        Box::pin(async move {
            if function == "fn hello" { futures::future::pending().await } else { ok() }
        })
    });
    let quotas = Quotas { integration_timeout: Duration::from_millis(50), ..Quotas::default() };
    let api = Setup { replies, quotas, ..Setup::default() }.start().await;
    let mut client = api.client().await;
    send_text(&mut client, r#"{"action": "hello"}"#).await;
    assert!(next_text(&mut client).await.contains("Internal server error"));
}

#[tokio::test]
async fn function_replies_are_never_sent_to_the_client() {
    let api = Setup::replying(|function, _| {
        replied(&json!({"statusCode": if function == "fn hello" { 500 } else { 200 }, "body": "unseen"}))
    })
    .start()
    .await;
    let (mut client, id) = api.connect_with_id().await;
    send_text(&mut client, r#"{"action": "hello"}"#).await;
    api.event("fn hello").await;
    assert_eq!(api.post(&id, "the only message").await.status, 200);
    assert_eq!(next_text(&mut client).await, "the only message");
}

#[tokio::test]
async fn messages_of_one_connection_are_handled_concurrently() {
    // The first function replies only once the second one is running.
    let both = Arc::new(tokio::sync::Barrier::new(2));
    let running = Arc::clone(&both);
    let replies: Replies = Arc::new(move |function, _| {
        let running = Arc::clone(&running);
        Box::pin(async move {
            if function == "fn hello" {
                running.wait().await;
                return failed();
            }
            ok()
        })
    });
    let api = Setup { replies, ..Setup::default() }.start().await;
    let mut client = api.client().await;
    for _ in 0..2 {
        send_text(&mut client, r#"{"action": "hello"}"#).await;
    }
    for _ in 0..2 {
        assert!(next_text(&mut client).await.contains("Internal server error"));
    }
}

#[tokio::test]
async fn a_message_of_128_kb_in_frames_of_32_kb_arrives_whole() {
    let api = Setup::default().start().await;
    let mut client = api.client().await;
    let body = "x".repeat(128 * 1024);
    for n in 0..4 {
        let data = if n == 0 { Data::Text } else { Data::Continue };
        let frame = Frame::message(vec![b'x'; 32 * 1024], OpCode::Data(data), n == 3);
        client.send(Message::Frame(frame)).await.unwrap();
    }
    assert_eq!(api.event("fn $default").await["body"], body);
}

#[tokio::test]
async fn a_ping_gets_a_pong_and_does_not_count_as_a_message() {
    let api = Setup::default().start().await;
    let mut client = api.client().await;
    client.send(Message::Ping("x".into())).await.unwrap();
    let pong = tokio::time::timeout(TIMEOUT, client.next()).await.unwrap().unwrap().unwrap();
    assert_eq!(pong, Message::Pong("x".into()));
    assert_eq!(api.count("fn $default"), 0);
}
