use http::{HeaderValue, StatusCode};
use jiff::Timestamp;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::*;

async fn rejected_handshake(api: &TestApi, path: &str) -> http::Response<Option<Vec<u8>>> {
    match connect_async(format!("ws://{}{path}", api.ws)).await {
        Err(Error::Http(response)) => *response,
        other => panic!("expected a rejection, got {other:?}"),
    }
}

#[tokio::test]
async fn connect_receives_api_gateways_event() {
    let api = Setup::default().start().await;
    let mut request =
        format!("ws://{}/prod?ticket=a%20b&n=1&n=2", api.ws).into_client_request().unwrap();
    for (name, value) in
        [("user-agent", "me/1"), ("origin", "http://x"), ("x-two", "1"), ("x-two", "2")]
    {
        request.headers_mut().append(name, HeaderValue::from_static(value));
    }
    let key = request.headers()["sec-websocket-key"].to_str().unwrap().to_owned();
    connect_async(request).await.unwrap();

    let mut event = api.event("fn $connect").await;
    let now = Timestamp::now().as_millisecond();
    let context = &event["requestContext"];
    let (id, request_id) = (context["connectionId"].clone(), context["requestId"].clone());
    assert!(super::super::id::is_well_formed(id.as_str().unwrap()) && id != request_id);
    for time in ["connectedAt", "requestTimeEpoch"] {
        let at = context[time].as_i64().unwrap();
        assert!((now - 60_000..=now).contains(&at), "{time}");
    }
    let at = Timestamp::from_millisecond(context["requestTimeEpoch"].as_i64().unwrap()).unwrap();
    let trace = event["headers"]["X-Amzn-Trace-Id"].clone();
    assert!(trace.as_str().unwrap().starts_with("Root=1-"));
    let port = api.ws.rsplit_once(':').unwrap().1;
    let expected = json!({
        "headers": {
            "Host": api.ws, "Sec-WebSocket-Key": key, "Sec-WebSocket-Version": "13", "User-Agent": "me/1", "Origin": "http://x",
            "X-Two": "2", "X-Amzn-Trace-Id": trace, "X-Forwarded-For": "127.0.0.1", "X-Forwarded-Port": port, "X-Forwarded-Proto": "http",
        },
        "multiValueHeaders": {
            "Host": [api.ws], "Sec-WebSocket-Key": [key], "Sec-WebSocket-Version": ["13"], "User-Agent": ["me/1"], "Origin": ["http://x"],
            "X-Two": ["1", "2"], "X-Amzn-Trace-Id": [trace], "X-Forwarded-For": ["127.0.0.1"], "X-Forwarded-Port": [port],
            "X-Forwarded-Proto": ["http"],
        },
        "queryStringParameters": {"ticket": "a b", "n": "2"},
        "multiValueQueryStringParameters": {"ticket": ["a b"], "n": ["1", "2"]},
        "requestContext": {
            "routeKey": "$connect", "eventType": "CONNECT", "messageDirection": "IN", "stage": "prod", "apiId": "Live",
            "domainName": api.ws, "connectionId": id, "requestId": request_id, "extendedRequestId": request_id,
            "identity": {"sourceIp": "127.0.0.1", "userAgent": "me/1"},
            "connectedAt": context["connectedAt"], "requestTimeEpoch": context["requestTimeEpoch"],
            "requestTime": at.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
        },
        "isBase64Encoded": false,
    });
    assert_eq!(event.take(), expected);
}

#[tokio::test]
async fn a_handshake_without_a_query_string_has_no_query_fields() {
    let api = Setup::default().start().await;
    let _client = api.client().await;
    let event = api.event("fn $connect").await;
    assert!(
        event.get("queryStringParameters").is_none()
            && event.get("multiValueQueryStringParameters").is_none()
    );
}

#[tokio::test]
async fn the_stage_and_the_root_are_served_and_other_paths_are_forbidden() {
    let api = Setup::default().start().await;
    for path in ["", "/", "/prod", "/prod/", "/prod?x=1"] {
        connect_async(format!("ws://{}{path}", api.ws))
            .await
            .unwrap_or_else(|e| panic!("{path}: {e}"));
    }
    for path in ["/dev", "/prod/x"] {
        let response = rejected_handshake(&api, path).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
        let body: Value = serde_json::from_slice(response.body().as_ref().unwrap()).unwrap();
        assert_eq!(body, json!({"message": "Forbidden"}));
    }
    assert_eq!(api.count("fn $connect"), 5);
}

#[tokio::test]
async fn a_request_without_an_upgrade_is_answered_with_426() {
    use http_body_util::Empty;
    let api = Setup::default().start().await;
    let client = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new())
        .build_http();
    let request =
        http::Request::get(format!("http://{}/prod", api.ws)).body(Empty::<Bytes>::new()).unwrap();
    let response = client.request(request).await.unwrap();
    assert_eq!(
        (response.status().as_u16(), response.headers()["upgrade"].to_str().unwrap()),
        (426, "websocket")
    );
    assert_eq!(api.count("fn $connect"), 0);
}

#[tokio::test]
async fn a_rejection_has_the_status_but_not_the_body_of_the_reply() {
    for status in [401, 403, 404, 500, 302] {
        let api =
            Setup::replying(move |_, _| replied(&json!({"statusCode": status, "body": "secret"})))
                .start()
                .await;
        let response = rejected_handshake(&api, "/prod").await;
        assert_eq!(response.status().as_u16(), status);
        assert!(response.body().as_ref().is_none_or(Vec::is_empty), "{:?}", response.body());
        api.running.lock().unwrap().take().unwrap().gateway.tasks.close();
        assert_eq!(api.count("fn $disconnect"), 0, "a rejected connection has no $disconnect");
    }
}

#[tokio::test]
async fn any_success_status_accepts_the_handshake() {
    let api = Setup::replying(|_, _| replied(&json!({"statusCode": 204}))).start().await;
    api.client().await;
}

#[tokio::test]
async fn a_failing_or_malformed_connect_function_rejects_with_502() {
    let results: [fn() -> Result<Invocation, InvokeError>; 6] = [
        failed,
        || Err(InvokeError::Throttled("no room".to_owned())),
        || replied(&json!(null)),
        || replied(&json!({"body": "no status"})),
        || replied(&json!({"statusCode": 99})),
        || panic!("the invoker itself fails"),
    ];
    for result in results {
        let api = Setup::replying(move |_, _| result()).start().await;
        let response = rejected_handshake(&api, "/prod").await;
        assert_eq!(response.status(), StatusCode::BAD_GATEWAY);
        let body: Value = serde_json::from_slice(response.body().as_ref().unwrap()).unwrap();
        assert_eq!(body["message"], "Internal server error");
    }
}

#[tokio::test]
async fn a_connect_function_that_takes_too_long_rejects_with_504() {
    let replies: Replies = Arc::new(|_, _| Box::pin(futures::future::pending()));
    let quotas = Quotas { integration_timeout: Duration::from_millis(50), ..Quotas::default() };
    let api = Setup { replies, quotas, ..Setup::default() }.start().await;
    assert_eq!(rejected_handshake(&api, "/prod").await.status(), StatusCode::GATEWAY_TIMEOUT);
}

#[tokio::test]
async fn an_api_without_a_connect_route_accepts_everyone() {
    let api = Setup { routes: vec!["$default"], ..Setup::default() }.start().await;
    let mut client = api.client().await;
    send_text(&mut client, "hi").await;
    api.event("fn $default").await;
}

#[tokio::test]
async fn the_subprotocol_that_connect_chooses_is_echoed() {
    let headers = json!({"statusCode": 200, "headers": {"sec-websocket-protocol": "two"}});
    let api = Setup::replying(move |_, _| replied(&headers)).start().await;
    let mut request = format!("ws://{}/prod", api.ws).into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("one, two"));
    let (_, response) = connect_async(request).await.unwrap();
    assert_eq!(response.headers()["sec-websocket-protocol"], "two");
    assert_eq!(api.event("fn $connect").await["headers"]["Sec-WebSocket-Protocol"], "one, two");
}

#[tokio::test]
async fn a_connection_cannot_be_posted_to_before_connect_returns() {
    let gate = Arc::new(tokio::sync::Notify::new());
    let opened = Arc::clone(&gate);
    let replies: Replies = Arc::new(move |_, _| {
        let opened = Arc::clone(&opened);
        Box::pin(async move {
            opened.notified().await;
            ok()
        })
    });
    let api = Setup { replies, ..Setup::default() }.start().await;
    let address = format!("ws://{}/prod", api.ws);
    let client = tokio::spawn(async move { connect_async(address).await.unwrap().0 });
    let id = connection_id(&api.event("fn $connect").await);
    let answer = api.post(&id, "too early").await;
    assert_eq!((answer.status, answer.error.as_deref()), (410, Some("GoneException")));
    gate.notify_one();
    let mut client = client.await.unwrap();
    assert_eq!(api.post(&id, "now").await.status, 200);
    assert_eq!(next_text(&mut client).await, "now");
}

#[tokio::test]
async fn disconnect_runs_for_a_client_that_goes_away_during_connect() {
    let gate = Arc::new(tokio::sync::Notify::new());
    let opened = Arc::clone(&gate);
    let replies: Replies = Arc::new(move |function, _| {
        let opened = Arc::clone(&opened);
        Box::pin(async move {
            if function == "fn $connect" {
                opened.notified().await;
            }
            ok()
        })
    });
    let api = Setup { replies, ..Setup::default() }.start().await;
    let mut tcp = TcpStream::connect(&api.ws).await.unwrap();
    let request = format!(
        "GET /prod HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        api.ws
    );
    tcp.write_all(request.as_bytes()).await.unwrap();
    let id = connection_id(&api.event("fn $connect").await);
    drop(tcp);
    gate.notify_one();
    let event = api.event("fn $disconnect").await;
    assert_eq!(
        (connection_id(&event), &event["requestContext"]["disconnectStatusCode"]),
        (id, &json!(1006))
    );
}
