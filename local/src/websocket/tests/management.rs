use aws_sdk_apigatewaymanagement::Client as Sdk;
use aws_sdk_apigatewaymanagement::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_apigatewaymanagement::operation::delete_connection::DeleteConnectionError;
use aws_sdk_apigatewaymanagement::operation::get_connection::GetConnectionError;
use aws_sdk_apigatewaymanagement::operation::post_to_connection::PostToConnectionError;
use aws_sdk_apigatewaymanagement::primitives::Blob;
use jiff::Timestamp;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::*;

const UNKNOWN_ID: &str = "L0SM9cOFvHcCIhw=";

fn sdk(api: &TestApi, key: &str) -> Sdk {
    let http = aws_smithy_http_client::Builder::new().build_http();
    let config = aws_sdk_apigatewaymanagement::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(format!("http://{}/prod", api.management))
        .credentials_provider(Credentials::new(key, "secret", None, None, "test"))
        .retry_config(aws_sdk_apigatewaymanagement::config::retry::RetryConfig::disabled())
        .http_client(http)
        .build();
    Sdk::from_conf(config)
}

/// Starts an API that soon notices slow clients, with a client that never reads.
async fn start_with_stuck_client() -> (TestApi, Client, String) {
    let quotas = Quotas {
        buffer_messages: 2,
        buffer_wait: Duration::from_millis(50),
        slow_client: Duration::from_secs(2),
        ..Quotas::default()
    };
    let api = Setup { quotas, ..Setup::default() }.start().await;
    let (client, id) = api.connect_with_id().await;
    (api, client, id)
}

/// Posts large messages until one is rejected, and returns that response.
async fn fill(api: &TestApi, id: &str) -> Answer {
    loop {
        let answer = api.post(id, vec![b'x'; 128 * 1024]).await;
        if answer.status != 200 {
            return answer;
        }
    }
}

#[tokio::test]
async fn the_sdk_posts_gets_and_deletes() {
    let api = Setup::default().start().await;
    let mut request = format!("ws://{}/prod", api.ws).into_client_request().unwrap();
    request.headers_mut().insert("user-agent", http::HeaderValue::from_static("me/1"));
    let (mut client, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    let connect = api.event("fn $connect").await;
    let id = connection_id(&connect);
    let sdk = sdk(&api, "AKID");

    let before = sdk.get_connection().connection_id(&id).send().await.unwrap();
    let connected_at = before.connected_at().unwrap();
    assert_eq!(
        connected_at.to_millis().unwrap(),
        connect["requestContext"]["connectedAt"].as_i64().unwrap()
    );
    let identity = before.identity().unwrap();
    assert_eq!((identity.source_ip(), identity.user_agent()), (Some("127.0.0.1"), Some("me/1")));

    tokio::time::sleep(Duration::from_millis(20)).await;
    sdk.post_to_connection().connection_id(&id).data(Blob::new("grüezi")).send().await.unwrap();
    assert_eq!(next_text(&mut client).await, "grüezi");
    let after = sdk.get_connection().connection_id(&id).send().await.unwrap();
    assert_eq!(after.connected_at().unwrap(), connected_at);
    assert!(after.last_active_at().unwrap() > before.last_active_at().unwrap());
    assert!(
        after.last_active_at().unwrap().to_millis().unwrap() <= Timestamp::now().as_millisecond()
    );

    sdk.delete_connection().connection_id(&id).send().await.unwrap();
    assert_eq!(close_frame(&mut client).await.unwrap().0, 1000);
}

#[tokio::test]
async fn the_sdk_recognizes_the_error_types() {
    let deny: Authorize = Arc::new(|key, _, _| key != "DENIED");
    let api = Setup { authorize: deny, ..Setup::default() }.start().await;
    let (_client, id) = api.connect_with_id().await;
    let (allowed, denied) = (sdk(&api, "AKID"), sdk(&api, "DENIED"));

    let gone = allowed
        .post_to_connection()
        .connection_id(UNKNOWN_ID)
        .data(Blob::new("x"))
        .send()
        .await
        .unwrap_err();
    assert!(matches!(gone.into_service_error(), PostToConnectionError::GoneException(_)));
    let gone = allowed.get_connection().connection_id(UNKNOWN_ID).send().await.unwrap_err();
    assert!(matches!(gone.into_service_error(), GetConnectionError::GoneException(_)));
    let gone = allowed.delete_connection().connection_id(UNKNOWN_ID).send().await.unwrap_err();
    assert!(matches!(gone.into_service_error(), DeleteConnectionError::GoneException(_)));

    let large = Blob::new(vec![b'x'; 128 * 1024 + 1]);
    let large =
        allowed.post_to_connection().connection_id(&id).data(large).send().await.unwrap_err();
    assert!(matches!(
        large.into_service_error(),
        PostToConnectionError::PayloadTooLargeException(_)
    ));

    let forbidden = denied
        .post_to_connection()
        .connection_id(&id)
        .data(Blob::new("x"))
        .send()
        .await
        .unwrap_err();
    let PostToConnectionError::ForbiddenException(forbidden) = forbidden.into_service_error()
    else {
        panic!()
    };
    assert!(forbidden.message().unwrap().contains("execute-api:ManageConnections"));
}

#[tokio::test]
async fn the_sdk_recognizes_a_full_buffer() {
    let (api, _client, id) = start_with_stuck_client().await;
    fill(&api, &id).await;
    let full = sdk(&api, "AKID")
        .post_to_connection()
        .connection_id(&id)
        .data(Blob::new("x"))
        .send()
        .await
        .unwrap_err();
    assert!(matches!(full.into_service_error(), PostToConnectionError::LimitExceededException(_)));
}

#[tokio::test]
async fn the_stage_is_optional_and_the_path_can_be_encoded() {
    let api = Setup::default().start().await;
    let (mut client, id) = api.connect_with_id().await;
    let encoded = id.replace('=', "%3D");
    for path in [
        format!("/@connections/{id}"),
        format!("/%40connections/{encoded}"),
        format!("/prod/@connections/{encoded}"),
        format!("/prod/%40connections/{id}"),
    ] {
        assert_eq!(api.manage("POST", &path, path.clone()).await.status, 200, "{path}");
        assert_eq!(next_text(&mut client).await, path);
    }
    assert_eq!(api.manage("POST", &format!("/dev/@connections/{id}"), "x").await.status, 403);
}

#[tokio::test]
async fn a_malformed_connection_id_is_a_bad_request() {
    let api = Setup::default().start().await;
    for method in ["POST", "GET", "DELETE"] {
        let answer = api.manage(method, "/prod/@connections/nonsense", "").await;
        assert_eq!((answer.status, answer.error.as_deref()), (400, Some("BadRequestException")));
        assert_eq!(answer.body["message"], "Invalid connectionId: nonsense");
        assert_eq!(
            api.manage(method, &format!("/prod/@connections/{UNKNOWN_ID}"), "").await.status,
            410
        );
    }
}

#[tokio::test]
async fn requests_must_be_signed_and_are_authorized_by_key_action_and_resource() {
    let checks = Arc::new(Mutex::new(Vec::new()));
    let recorded = Arc::clone(&checks);
    let authorize: Authorize = Arc::new(move |key, action, resource| {
        recorded.lock().unwrap().push([key, action, resource].map(str::to_owned));
        key == "GOOD"
    });
    let api = Setup { authorize, ..Setup::default() }.start().await;
    let (_client, id) = api.connect_with_id().await;
    let path = format!("/@connections/{}", id.replace('=', "%3D"));
    for method in ["POST", "GET", "DELETE"] {
        let unsigned = api.manage_as(None, method, &path, "x").await;
        assert_eq!(unsigned.status, 403);
        assert_eq!(unsigned.error.as_deref(), Some("MissingAuthenticationTokenException"));
        assert_eq!(unsigned.body["message"], "Missing Authentication Token");
    }
    assert_eq!(api.manage_as(Some("GOOD"), "GET", &path, "").await.status, 200);
    let denied = api.manage_as(Some("BAD"), "POST", &path, "x").await;
    assert_eq!((denied.status, denied.error.as_deref()), (403, Some("ForbiddenException")));
    let arn = |method| {
        format!("arn:aws:execute-api:us-east-1:000000000000:Live/prod/{method}/@connections/{id}")
    };
    let action = "execute-api:ManageConnections".to_owned();
    let expected =
        [["GOOD".to_owned(), action.clone(), arn("GET")], ["BAD".to_owned(), action, arn("POST")]];
    assert_eq!(*checks.lock().unwrap(), expected);
}

#[tokio::test]
async fn text_is_sent_as_text_and_other_bytes_as_binary() {
    let api = Setup::default().start().await;
    let (mut client, id) = api.connect_with_id().await;
    api.post(&id, "").await;
    api.post(&id, "text").await;
    api.post(&id, vec![0xff, 0x00]).await;
    for expected in [Message::text(""), Message::text("text"), Message::binary(vec![0xff, 0x00])] {
        assert_eq!(client.next().await.unwrap().unwrap(), expected);
    }
}

#[tokio::test]
async fn a_message_over_32_kb_is_sent_in_frames_of_32_kb() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let api = Setup::default().start().await;
    let (mut client, id) = api.connect_with_id().await;
    // é is two bytes, so a frame ends within a character.
    let message = format!("a{}", "é".repeat(50_000));
    api.post(&id, message.clone()).await;
    assert_eq!(next_text(&mut client).await, message);

    let mut tcp = TcpStream::connect(&api.ws).await.unwrap();
    let request = "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    tcp.write_all(request.as_bytes()).await.unwrap();
    let id = connection_id(&api.nth_event("fn $connect", 1).await);
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(tcp.read_u8().await.unwrap());
    }
    api.post(&id, vec![b'x'; 40 * 1024]).await;
    let mut frames = Vec::new();
    for _ in 0..2 {
        let (first, second) = (tcp.read_u8().await.unwrap(), tcp.read_u8().await.unwrap());
        assert_eq!(second, 126, "a 16 bit length, unmasked");
        let length = tcp.read_u16().await.unwrap();
        tcp.read_exact(&mut vec![0; length.into()]).await.unwrap();
        frames.push((first, length));
    }
    assert_eq!(frames, [(0x01, 32 * 1024), (0x80, 8 * 1024)]);
}

#[tokio::test]
async fn a_client_that_does_not_read_gets_429_then_closed_without_delaying_others() {
    let (api, stuck, id) = start_with_stuck_client().await;
    let (mut other, other_id) = api.connect_with_id().await;
    let answer = fill(&api, &id).await;
    assert_eq!((answer.status, answer.error.as_deref()), (429, Some("LimitExceededException")));
    assert_eq!(api.post(&other_id, "hello").await.status, 200);
    assert_eq!(next_text(&mut other).await, "hello");
    assert_eq!(api.count("fn $disconnect"), 0, "others are served while one is stuck");
    let event = api.event("fn $disconnect").await;
    assert_eq!(connection_id(&event), id);
    assert_eq!(event["requestContext"]["disconnectStatusCode"], 1008);
    assert_eq!(api.post(&id, "x").await.status, 410);
    drop(stuck);
}

#[tokio::test]
async fn a_stuck_client_can_be_deleted() {
    let (api, _client, id) = start_with_stuck_client().await;
    fill(&api, &id).await;
    assert_eq!(api.manage("DELETE", &format!("/@connections/{id}"), "").await.status, 204);
    assert_eq!(api.post(&id, "x").await.status, 410);
    assert_eq!(connection_id(&api.event("fn $disconnect").await), id);
}

#[tokio::test]
async fn injected_faults_hit_only_matching_requests() {
    let api = Setup::default().start().await;
    let (mut client, id) = api.connect_with_id().await;
    let faults = "/_local/faults";
    for (fault, status) in [("error_429", 429), ("error_500", 500)] {
        let rule = json!({"fault": fault, "containing": "bad", "times": 2});
        let added = api.manage_json("POST", faults, &rule).await;
        assert_eq!(
            (added.status, added.body),
            (201, json!([{"fault": fault, "containing": "bad", "times": 2}]))
        );
        assert_eq!(api.post(&id, "good").await.status, 200);
        for _ in 0..2 {
            let answer = api.post(&id, "bad").await;
            assert_eq!(
                (answer.status, answer.error),
                (status, None),
                "errors from in front of the API have no type"
            );
        }
        assert_eq!(api.post(&id, "bad").await.status, 200);
        assert_eq!([next_text(&mut client).await, next_text(&mut client).await], ["good", "bad"]);
    }
    assert_eq!(api.manage_json("POST", faults, &json!({"fault": "flood"})).await.status, 422);
    api.manage_json("POST", faults, &json!({"fault": "timeout", "method": "POST"})).await;
    api.manage_json("POST", faults, &json!({"fault": "timeout_after_acting"})).await;
    for message in ["lost", "sent"] {
        let response =
            tokio::time::timeout(Duration::from_millis(100), api.post(&id, message)).await;
        assert!(response.is_err(), "{message}");
    }
    assert_eq!(next_text(&mut client).await, "sent");
    api.manage_json("POST", faults, &json!({"fault": "error_500", "method": "DELETE"})).await;
    api.manage_json("POST", faults, &json!({"fault": "error_500", "containing": "bad"})).await;
    let left = api.manage("DELETE", "/_local/faults?containing=bad", "").await.body;
    assert_eq!(left, json!([{"fault": "error_500", "method": "DELETE", "times": 1}]));
    assert_eq!(api.manage("DELETE", faults, "").await.body, json!([]));
    assert_eq!(api.manage("DELETE", &format!("/@connections/{id}"), "").await.status, 204);
}
