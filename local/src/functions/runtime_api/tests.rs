use http::Request;
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use super::*;

/// A client of the Runtime API, which stands for a function's runtime.
struct Runtime {
    client: Client<HttpConnector, Full<Bytes>>,
    base: String,
}

impl Runtime {
    fn of(api: &RuntimeApi) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self { client, base: format!("http://{}/2018-06-01/runtime", api.address) }
    }

    async fn next(&self) -> http::Response<hyper::body::Incoming> {
        self.client.get(format!("{}/invocation/next", self.base).parse().unwrap()).await.unwrap()
    }

    async fn post(&self, path: &str, body: impl Into<Bytes>) -> (StatusCode, Value) {
        let request =
            Request::post(format!("{}{path}", self.base)).body(Full::new(body.into())).unwrap();
        let (head, body) = self.client.request(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (head.status, serde_json::from_slice(&body).unwrap())
    }
}

fn event(request_id: &str) -> Event {
    Event {
        request_id: request_id.to_owned(),
        function_arn: "arn:aws:lambda:eu-central-1:000000000000:function:f".to_owned(),
        timeout: Duration::from_secs(3),
        payload: Bytes::from_static(br#"{"a":1}"#),
    }
}

#[tokio::test]
async fn an_event_can_be_answered_only_once() {
    let mut api = RuntimeApi::start().await.unwrap();
    let runtime = Runtime::of(&api);
    api.send(event("one")).await;
    assert!(!api.is_working());
    let next = runtime.next().await;
    assert!(api.is_working());
    assert_eq!(next.status(), StatusCode::OK);
    let header = |name: &str| next.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("lambda-runtime-aws-request-id"), "one");
    assert_eq!(header("lambda-runtime-invoked-function-arn"), event("one").function_arn);
    assert_eq!(header("content-type"), "application/json");
    assert_eq!(
        header("lambda-runtime-trace-id").split(';').next().unwrap().len(),
        "Root=1-5e9f0c65-1de4d666d4dd26aced652b6c".len()
    );
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis();
    let deadline: u128 = header("lambda-runtime-deadline-ms").parse().unwrap();
    assert!((now..=now + 3000).contains(&deadline));
    assert_eq!(next.into_body().collect().await.unwrap().to_bytes(), event("one").payload);

    assert!(matches!(api.report().await, Report::Ready));
    assert_eq!(
        runtime.post("/invocation/one/response", "{}").await,
        (StatusCode::ACCEPTED, json!({ "status": "OK" }))
    );
    assert!(matches!(api.report().await, Report::Reply(body) if body == "{}"));
    assert!(!api.is_working());
    let (status, body) = runtime.post("/invocation/one/response", "{}").await;
    assert_eq!((status, &body["errorType"]), (StatusCode::FORBIDDEN, &json!("InvalidRequestID")));
}

#[tokio::test]
async fn a_reply_to_another_request_is_rejected_and_changes_nothing() {
    let mut api = RuntimeApi::start().await.unwrap();
    let runtime = Runtime::of(&api);
    api.send(event("two")).await;
    runtime.next().await;
    assert!(matches!(api.report().await, Report::Ready));
    for path in ["/invocation/one/response", "/invocation/one/error"] {
        assert_eq!(runtime.post(path, "{}").await.0, StatusCode::FORBIDDEN);
    }
    assert!(api.is_working());
    assert_eq!(
        runtime.post("/invocation/two/error", r#"{"errorType":"E"}"#).await.0,
        StatusCode::ACCEPTED
    );
    assert!(matches!(api.report().await, Report::Failure(_)));
}

#[tokio::test]
async fn a_reply_over_the_limit_is_413_and_ends_the_request() {
    let mut api = RuntimeApi::start().await.unwrap();
    let runtime = Runtime::of(&api);
    api.send(event("one")).await;
    runtime.next().await;
    assert!(matches!(api.report().await, Report::Ready));
    let (status, body) =
        runtime.post("/invocation/one/response", vec![b'x'; MAX_PAYLOAD + 1]).await;
    assert_eq!(
        (status, &body["errorType"]),
        (StatusCode::PAYLOAD_TOO_LARGE, &json!("RequestEntityTooLarge"))
    );
    assert!(matches!(api.report().await, Report::TooLarge));
    assert!(!api.is_working());
}

#[tokio::test]
async fn an_init_error_is_reported() {
    let mut api = RuntimeApi::start().await.unwrap();
    let (status, _) = Runtime::of(&api).post("/init/error", r#"{"errorMessage":"no table"}"#).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    assert!(matches!(api.report().await, Report::InitFailure(_)));
}
