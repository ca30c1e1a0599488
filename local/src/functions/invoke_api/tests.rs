use std::sync::Mutex;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::Request;
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tokio::net::TcpListener;

use super::*;
use crate::invoke::{FunctionError, Invocation};

const ARN: &str = "arn:aws:lambda:eu-central-1:000000000000:function:shop-orders-create";

/// Replies with the event it gets, after failing a given number of times.
#[derive(Default)]
struct Fake {
    failures: Mutex<usize>,
    calls: Mutex<Vec<(String, Bytes)>>,
}

impl Fake {
    fn failing(times: usize) -> Arc<Self> {
        Arc::new(Self { failures: times.into(), ..Self::default() })
    }

    fn calls(&self) -> usize {
        self.calls.lock().unwrap().len()
    }
}

impl Invoke for Fake {
    fn invoke<'a>(
        &'a self,
        function: &'a str,
        payload: Bytes,
    ) -> BoxFuture<'a, Result<Invocation, InvokeError>> {
        self.calls.lock().unwrap().push((function.to_owned(), payload.clone()));
        let mut failures = self.failures.lock().unwrap();
        let error = (*failures > 0).then_some(FunctionError::Unhandled);
        *failures = failures.saturating_sub(1);
        async move {
            match function {
                "crashing" => Err(InvokeError::Unavailable("crashing crashed at init".to_owned())),
                _ => Ok(Invocation { payload, error }),
            }
        }
        .boxed()
    }
}

struct Response {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

fn function(name: &str) -> Function {
    Function {
        name: name.to_owned(),
        logical_id: format!("Logical-{name}"),
        code_uri: String::new(),
        binary: None,
        function_name: format!("shop-{name}"),
        arn: format!("arn:aws:lambda:eu-central-1:000000000000:function:shop-{name}"),
        handler: "bootstrap".into(),
        environment: Default::default(),
        timeout: Duration::from_secs(3),
        memory_mb: 128,
        reserved_concurrency: None,
        policy: Vec::new(),
        streams: Vec::new(),
        schedules: Vec::new(),
    }
}

fn api(fake: Arc<Fake>) -> InvokeApi {
    InvokeApi {
        project: Arc::new(Project {
            functions: vec![function("orders-create"), function("crashing")],
            ..Default::default()
        }),
        invoke: fake,
        log: Log::default(),
        authorize: None,
        retry_delays: [Duration::from_millis(1); 2],
    }
}

async fn post(
    api: InvokeApi,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Response {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut request = Request::post(format!(
        "http://{}/2015-03-31/functions/{path}",
        listener.local_addr().unwrap()
    ));
    tokio::spawn(async move { axum::serve(listener, router(api)).await });
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let (head, body) =
        client.request(request.body(Full::new(body.into())).unwrap()).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Response {
        status: head.status,
        headers: head.headers,
        body: serde_json::from_slice(&body).unwrap_or_default(),
    }
}

#[tokio::test]
async fn a_function_is_found_by_each_of_its_names() {
    let encoded_arn = ARN.replace(':', "%3A");
    for name in [
        "orders-create",
        "Logical-orders-create",
        "shop-orders-create",
        "shop-orders-create:$LATEST",
        "000000000000:function:shop-orders-create",
        ARN,
        &encoded_arn,
    ] {
        let answer =
            post(api(Fake::failing(0)), &format!("{name}/invocations"), &[], r#"{"a":1}"#).await;
        assert_eq!((answer.status, answer.body), (StatusCode::OK, json!({ "a": 1 })), "{name}");
        assert_eq!(answer.headers["x-amz-executed-version"], "$LATEST");
        assert!(!answer.headers.contains_key("x-amz-function-error"));
    }
}

#[tokio::test]
async fn an_unknown_function_or_qualifier_is_a_resource_not_found() {
    for path in ["orders/invocations", "orders-create/invocations?Qualifier=live"] {
        let answer = post(api(Fake::failing(0)), path, &[], "{}").await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        assert_eq!(answer.headers["x-amzn-errortype"], "ResourceNotFoundException");
        assert_eq!(answer.body["Type"], "User");
    }
}

#[tokio::test]
async fn a_failed_function_is_a_200_with_the_error_header() {
    let answer = post(api(Fake::failing(1)), "orders-create/invocations", &[], "").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.headers["x-amz-function-error"], "Unhandled");
    // An empty payload becomes an empty event.
    assert_eq!(answer.body, json!({}));
}

#[tokio::test]
async fn a_function_that_cannot_start_is_a_502() {
    let answer = post(api(Fake::failing(0)), "crashing/invocations", &[], "{}").await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    assert_eq!(answer.body, json!({ "Type": "Service", "Message": "crashing crashed at init" }));
}

#[tokio::test]
async fn a_dry_run_invokes_nothing() {
    let fake = Fake::failing(0);
    let headers = [("x-amz-invocation-type", "DryRun")];
    let answer = post(api(fake.clone()), "orders-create/invocations", &headers, "{}").await;
    assert_eq!((answer.status, fake.calls()), (StatusCode::NO_CONTENT, 0));
}

#[tokio::test]
async fn an_asynchronous_event_is_accepted_at_once_and_tried_three_times() {
    let headers = [("x-amz-invocation-type", "Event")];
    for (failures, expected) in [(0, 1), (1, 2), (9, 3)] {
        let fake = Fake::failing(failures);
        let answer = post(api(fake.clone()), "orders-create/invocations", &headers, "{}").await;
        assert_eq!(answer.status, StatusCode::ACCEPTED);
        let start = std::time::Instant::now();
        while fake.calls() < expected && start.elapsed() < Duration::from_secs(10) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // Gives a surplus call time to show up.
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(fake.calls(), expected, "{failures} failures");
    }
}

#[tokio::test]
async fn invalid_json_large_payloads_and_unsupported_options_are_rejected() {
    let headers: [(&str, &str); 0] = [];
    let cases = [
        (&headers[..], Bytes::from_static(b"{"), 400, "InvalidRequestContentException"),
        (&headers[..], vec![b' '; MAX_PAYLOAD + 1].into(), 413, "RequestTooLargeException"),
        (
            &[("x-amz-invocation-type", "Event")],
            vec![b' '; MAX_ASYNC_PAYLOAD + 1].into(),
            413,
            "RequestTooLargeException",
        ),
        (
            &[("x-amz-invocation-type", "Later")],
            Bytes::new(),
            400,
            "InvalidParameterValueException",
        ),
        (&[("x-amz-log-type", "Tail")], Bytes::new(), 400, "InvalidParameterValueException"),
    ];
    for (headers, body, status, kind) in cases {
        let answer = post(api(Fake::failing(0)), "orders-create/invocations", headers, body).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.headers["x-amzn-errortype"]),
            (status, &kind.parse().unwrap())
        );
    }
}

#[tokio::test]
async fn a_function_invokes_what_its_policy_allows_and_the_developer_everything() {
    let guarded = || InvokeApi {
        authorize: Some(Arc::new(|key, action, resource| {
            (key, action, resource) == ("AKIAALLOWED", "lambda:InvokeFunction", ARN)
        })),
        ..api(Fake::failing(0))
    };
    let signed = |key: &str| {
        format!(
            "AWS4-HMAC-SHA256 Credential={key}/20260101/eu-central-1/lambda/aws4_request, SignedHeaders=host, Signature=0"
        )
    };
    let path = "orders-create/invocations";
    let denied = post(guarded(), path, &[("authorization", &signed("AKIAOTHER"))], "{}").await;
    assert_eq!(
        (denied.status, &denied.headers["x-amzn-errortype"]),
        (StatusCode::FORBIDDEN, &"AccessDeniedException".parse().unwrap())
    );
    assert_eq!(
        post(guarded(), path, &[("authorization", &signed("AKIAALLOWED"))], "{}").await.status,
        StatusCode::OK
    );
    assert_eq!(post(guarded(), path, &[], "{}").await.status, StatusCode::OK);
}
