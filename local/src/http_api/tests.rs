//! Tests of the gateway over a real socket, with fake functions.

use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::{HeaderMap, Method};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tokio_util::task::AbortOnDropHandle;

use super::*;
use crate::invoke::{FunctionError, Invocation};
use crate::model::HttpRoute;

/// Fake functions, each of which does what its name says.
struct Fake;

impl Invoke for Fake {
    fn invoke<'a>(
        &'a self,
        function: &'a str,
        payload: Bytes,
    ) -> BoxFuture<'a, Result<Invocation, InvokeError>> {
        async move {
            let text = function.to_owned();
            let failed =
                |error| Ok(Invocation { payload: Bytes::from_static(b"{}"), error: Some(error) });
            match function {
                "echo" => Ok(Invocation { payload, error: None }),
                "created" => {
                    let reply = json!({
                        "statusCode": 201,
                        "headers": {
                            "content-type": "application/problem+json",
                            "access-control-allow-origin": "https://from.function",
                        },
                        "cookies": ["a=1", "b=2"],
                        "body": "created",
                    });
                    Ok(Invocation { payload: reply.to_string().into(), error: None })
                }
                "malformed" => Ok(Invocation {
                    payload: Bytes::from_static(b"{\"statusCode\":1}"),
                    error: None,
                }),
                "failing" => failed(FunctionError::Unhandled),
                "overrunning" => failed(FunctionError::TimedOut),
                "slow" => std::future::pending().await,
                "throttled" => Err(InvokeError::Throttled(text)),
                "too-large" => Err(InvokeError::TooLarge(text)),
                "crashing" => Err(InvokeError::Unavailable(text)),
                _ => Err(InvokeError::NotFound(text)),
            }
        }
        .boxed()
    }
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

struct Api {
    base: String,
    _server: AbortOnDropHandle<std::io::Result<()>>,
}

impl Api {
    async fn start(cors: Option<Cors>) -> Self {
        let routes = [
            "GET /echo",
            "ANY /any",
            "POST /echo/{id}",
            "GET /created",
            "GET /malformed",
            "GET /failing",
            "GET /overrunning",
            "GET /slow",
            "GET /throttled",
            "GET /too-large",
            "GET /crashing",
            "GET /missing",
        ];
        let routes = routes.map(|key| {
            let (method, path) = key.split_once(' ').unwrap();
            let function = path.split('/').nth(1).unwrap().replace("any", "echo");
            HttpRoute { method: method.to_owned(), path: path.to_owned(), function }
        });
        let api = HttpApi { api_id: "HttpApi".to_owned(), routes: routes.into(), cors };
        let timeout = Duration::from_millis(100);
        let gateway =
            Gateway::new(&api, &Project::default(), Arc::new(Fake), Log::default(), timeout);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        Self { base, _server: AbortOnDropHandle::new(tokio::spawn(serve(listener, gateway))) }
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let mut request =
            http::Request::builder().method(method).uri(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
        let (head, body) = client
            .request(request.body(Full::new(body.into())).unwrap())
            .await
            .unwrap()
            .into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: head.status.as_u16(), headers: head.headers, body }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], "").await
    }
}

#[tokio::test]
async fn a_request_reaches_its_function_as_an_event() {
    let api = Api::start(None).await;
    let headers = [("content-type", "text/plain"), ("x-forwarded-for", "203.0.113.9")];
    let answer = api.send(Method::POST, "/echo/7?a=1", &headers, "hello").await;
    assert_eq!(
        (answer.status, &answer.headers["content-type"]),
        (200, &"application/json".parse().unwrap())
    );
    let event = answer.json();
    assert_eq!(event["routeKey"], "POST /echo/{id}");
    assert_eq!(event["pathParameters"], json!({ "id": "7" }));
    assert_eq!(event["body"], "hello");
    assert_eq!(event["requestContext"]["http"]["sourceIp"], "127.0.0.1");
    assert_eq!(event["requestContext"]["http"]["method"], "POST");
    assert_eq!(
        event["requestContext"]["requestId"],
        answer.headers["apigw-requestid"].to_str().unwrap()
    );
    assert_eq!(event["requestContext"]["requestId"].as_str().unwrap().len(), 16);
}

#[tokio::test]
async fn a_reply_becomes_the_response_it_describes() {
    let answer = Api::start(None).await.get("/created").await;
    assert_eq!((answer.status, &answer.body[..]), (201, &b"created"[..]));
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    assert_eq!(answer.headers["access-control-allow-origin"], "https://from.function");
    assert_eq!(answer.headers.get_all("set-cookie").iter().collect::<Vec<_>>(), ["a=1", "b=2"]);
}

#[tokio::test]
async fn a_request_without_a_route_is_404_with_any_method() {
    let api = Api::start(None).await;
    for (method, path) in [
        (Method::GET, "/"),
        (Method::POST, "/echo"),
        (Method::GET, "/echo/"),
        (Method::OPTIONS, "/echo"),
    ] {
        let answer = api.send(method, path, &[], "").await;
        assert_eq!(
            (answer.status, answer.json()),
            (404, json!({ "message": "Not Found" })),
            "{path}"
        );
        assert_eq!(answer.headers["content-type"], "application/json");
        assert!(answer.headers.contains_key("apigw-requestid"));
    }
    // HEAD does not fall back to GET.
    assert_eq!(api.send(Method::HEAD, "/echo", &[], "").await.status, 404);
    assert_eq!(api.send(Method::HEAD, "/any", &[], "").await.status, 200);
}

#[tokio::test]
async fn failures_have_the_responses_of_api_gateway() {
    let api = Api::start(None).await;
    for (path, status, message) in [
        ("/failing", 500, "Internal Server Error"),
        ("/overrunning", 500, "Internal Server Error"),
        ("/malformed", 500, "Internal Server Error"),
        ("/crashing", 500, "Internal Server Error"),
        ("/missing", 500, "Internal Server Error"),
        ("/slow", 503, "Service Unavailable"),
        ("/throttled", 503, "Service Unavailable"),
        ("/too-large", 413, "Request Entity Too Large"),
    ] {
        let answer = api.get(path).await;
        assert_eq!(
            (answer.status, answer.json()),
            (status, json!({ "message": message })),
            "{path}"
        );
    }
}

#[tokio::test]
async fn bodies_over_10_mb_and_headers_over_10240_bytes_are_rejected() {
    let api = Api::start(None).await;
    let text = [("content-type", "text/plain")];
    let answer = api.send(Method::POST, "/any", &text, vec![b'x'; MAX_BODY]).await;
    assert_eq!(answer.status, 200);
    let answer = api.send(Method::POST, "/any", &text, vec![b'x'; MAX_BODY + 1]).await;
    assert_eq!(
        (answer.status, answer.json()),
        (413, json!({ "message": "Request Entity Too Large" }))
    );

    // The request line and the value of Host count as well.
    let room = MAX_HEAD - "GET /echo HTTP/1.1".len() - api.base.trim_start_matches("http://").len();
    let answer = api.send(Method::GET, "/echo", &[("x-long", &"x".repeat(room))], "").await;
    assert_eq!(answer.status, 200);
    let answer = api.send(Method::GET, "/echo", &[("x-long", &"x".repeat(room + 1))], "").await;
    assert_eq!(
        (answer.status, answer.json()),
        (431, json!({ "message": "Request Header Fields Too Large" }))
    );
}

#[tokio::test]
async fn configured_cors_replaces_the_functions_cors_headers() {
    let shop = "https://shop.example";
    let api = Api::start(Some(Cors {
        allow_origins: vec![shop.to_owned()],
        allow_methods: vec!["GET".to_owned()],
        ..Cors::default()
    }))
    .await;
    let headers = [("origin", shop), ("access-control-request-method", "GET")];
    let preflight = api.send(Method::OPTIONS, "/created", &headers, "").await;
    assert_eq!((preflight.status, preflight.body.len()), (204, 0));
    assert_eq!(preflight.headers["access-control-allow-origin"], shop);
    assert_eq!(preflight.headers["access-control-allow-methods"], "GET");

    let allowed = api.send(Method::GET, "/created", &[("origin", shop)], "").await;
    assert_eq!(allowed.headers["access-control-allow-origin"], shop);
    let other = api.send(Method::GET, "/created", &[("origin", "https://evil.example")], "").await;
    assert_eq!(other.status, 201);
    assert!(!other.headers.contains_key("access-control-allow-origin"));
    // Pages must be able to read errors as well.
    let error = api.send(Method::GET, "/failing", &[("origin", shop)], "").await;
    assert_eq!(error.headers["access-control-allow-origin"], shop);
}
