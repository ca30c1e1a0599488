//! Tests of the WebSocket API over real sockets, with closures as functions.

mod ending;
mod handshake;
mod management;
mod messages;
mod scale;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use tokio_util::sync::CancellationToken;

use super::{Authorize, Quotas, Running, start};
use crate::invoke::{FunctionError, Invocation, Invoke, InvokeError};
use crate::log::Log;
use crate::model::WebSocketApi;

/// How long a test waits for something that must happen.
const TIMEOUT: Duration = Duration::from_secs(20);

type Client = WebSocketStream<MaybeTlsStream<TcpStream>>;
type Replies =
    Arc<dyn Fn(String, Value) -> BoxFuture<'static, Result<Invocation, InvokeError>> + Send + Sync>;

fn replied(reply: &Value) -> Result<Invocation, InvokeError> {
    Ok(Invocation { payload: reply.to_string().into(), error: None })
}

fn ok() -> Result<Invocation, InvokeError> {
    replied(&json!({"statusCode": 200}))
}

fn failed() -> Result<Invocation, InvokeError> {
    Ok(Invocation {
        payload: r#"{"errorMessage":"boom","statusCode":200}"#.into(),
        error: Some(FunctionError::Unhandled),
    })
}

/// Fake functions that record their events.
struct Functions {
    events: watch::Sender<Vec<(String, Value)>>,
    replies: Replies,
}

impl Invoke for Functions {
    fn invoke<'a>(
        &'a self,
        function: &'a str,
        payload: Bytes,
    ) -> BoxFuture<'a, Result<Invocation, InvokeError>> {
        let event: Value = serde_json::from_slice(&payload).unwrap();
        self.events.send_modify(|events| events.push((function.to_owned(), event.clone())));
        (self.replies)(function.to_owned(), event)
    }
}

/// A running WebSocket API and its `@connections` API, each on its own port.
struct TestApi {
    functions: Arc<Functions>,
    running: Mutex<Option<Running>>,
    shutdown: CancellationToken,
    ws: String,
    management: String,
}

/// The settings of a test's API. The default has all routes, and its functions succeed.
struct Setup {
    quotas: Quotas,
    routes: Vec<&'static str>,
    authorize: Authorize,
    replies: Replies,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            quotas: Quotas::default(),
            routes: vec!["$connect", "$disconnect", "$default", "hello"],
            authorize: Arc::new(|_, _, _| true),
            replies: Arc::new(|_, _| Box::pin(async { ok() })),
        }
    }
}

impl Setup {
    /// Returns a setup in which `reply` computes every function's reply from its name and event.
    fn replying(
        reply: impl Fn(&str, &Value) -> Result<Invocation, InvokeError> + Send + Sync + 'static,
    ) -> Self {
        let replies: Replies = Arc::new(move |function, event| {
            let result = reply(&function, &event);
            Box::pin(async { result })
        });
        Self { replies, ..Self::default() }
    }

    async fn start(self) -> TestApi {
        let api = WebSocketApi {
            api_id: "Live".to_owned(),
            stage: "prod".to_owned(),
            route_selection: "$request.body.action".to_owned(),
            routes: self
                .routes
                .iter()
                .map(|key| ((*key).to_owned(), format!("fn {key}")))
                .collect(),
        };
        let functions =
            Arc::new(Functions { events: watch::Sender::default(), replies: self.replies });
        let shutdown = CancellationToken::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let ws = listener.local_addr().unwrap().to_string();
        let invoke: Arc<dyn Invoke> = Arc::clone(&functions) as _;
        let running =
            start(listener, api, self.quotas, invoke, Log::default(), shutdown.clone()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let management = listener.local_addr().unwrap().to_string();
        let router = running.management(self.authorize);
        tokio::spawn(async move { axum::serve(listener, router).await });
        TestApi { functions, running: Mutex::new(Some(running)), shutdown, ws, management }
    }
}

impl TestApi {
    async fn client(&self) -> Client {
        tokio_tungstenite::connect_async(format!("ws://{}/prod", self.ws)).await.unwrap().0
    }

    /// Connects a client and returns it with its connection id.
    async fn connect_with_id(&self) -> (Client, String) {
        let known = self.events().len();
        let client = self.client().await;
        let events = self.events();
        let connects = events[known..].iter().filter(|(function, _)| function == "fn $connect");
        let ids: Vec<_> = connects.map(|(_, event)| connection_id(event)).collect();
        assert_eq!(ids.len(), 1, "one client at a time");
        (client, ids[0].clone())
    }

    fn events(&self) -> Vec<(String, Value)> {
        self.functions.events.borrow().clone()
    }

    fn count(&self, function: &str) -> usize {
        self.events().iter().filter(|(name, _)| name == function).count()
    }

    /// Waits for the first event of a function and returns it.
    async fn event(&self, function: &str) -> Value {
        self.nth_event(function, 0).await
    }

    async fn nth_event(&self, function: &str, n: usize) -> Value {
        let mut events = self.functions.events.subscribe();
        let find = |events: &Vec<(String, Value)>| {
            events.iter().filter(|(name, _)| name == function).nth(n).cloned()
        };
        let events =
            tokio::time::timeout(TIMEOUT, events.wait_for(|events| find(events).is_some())).await;
        find(&events.unwrap_or_else(|_| panic!("{function} is invoked")).unwrap()).unwrap().1
    }

    /// Sends a request to `@connections`, signed with the access key `AKID`.
    async fn manage(&self, method: &str, path: &str, body: impl Into<Bytes>) -> Answer {
        self.manage_as(Some("AKID"), method, path, body).await
    }

    /// Sends a request to `@connections`, signed with the access key `credential` or unsigned.
    async fn manage_as(
        &self,
        credential: Option<&str>,
        method: &str,
        path: &str,
        body: impl Into<Bytes>,
    ) -> Answer {
        self.request(http::Request::builder().method(method).uri(path), body, credential).await
    }

    async fn manage_json(&self, method: &str, path: &str, body: &Value) -> Answer {
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/json");
        self.request(request, body.to_string(), None).await
    }

    async fn request(
        &self,
        mut request: http::request::Builder,
        body: impl Into<Bytes>,
        credential: Option<&str>,
    ) -> Answer {
        use http_body_util::{BodyExt, Full};
        let client =
            hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new())
                .build_http();
        let path = request.uri_ref().unwrap().to_string();
        request = request.uri(format!("http://{}{path}", self.management));
        if let Some(key) = credential {
            let header = format!(
                "AWS4-HMAC-SHA256 Credential={key}/20260101/us-east-1/execute-api/aws4_request, Signature=0"
            );
            request = request.header("authorization", header);
        }
        let response = client.request(request.body(Full::new(body.into())).unwrap()).await.unwrap();
        let error =
            response.headers().get("x-amzn-errortype").map(|v| v.to_str().unwrap().to_owned());
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        Answer { status, error, body: serde_json::from_slice(&body).unwrap_or(Value::Null) }
    }

    async fn post(&self, id: &str, body: impl Into<Bytes>) -> Answer {
        self.manage("POST", &format!("/prod/@connections/{id}"), body).await
    }
}

/// A response: its status, the value of `x-amzn-errortype`, and its body.
#[derive(Debug)]
struct Answer {
    status: u16,
    error: Option<String>,
    body: Value,
}

fn connection_id(event: &Value) -> String {
    event["requestContext"]["connectionId"].as_str().unwrap().to_owned()
}

/// Waits for the next message, which must be text.
async fn next_text(client: &mut Client) -> String {
    let message =
        tokio::time::timeout(TIMEOUT, client.next()).await.expect("a message").unwrap().unwrap();
    message.into_text().unwrap().as_str().to_owned()
}

async fn send_text(client: &mut Client, message: &str) {
    client.send(Message::text(message)).await.unwrap();
}

/// Reads until the connection ends. Returns the code and reason of its close frame.
async fn close_frame(client: &mut Client) -> Option<(u16, String)> {
    let mut last = None;
    while let Some(message) =
        tokio::time::timeout(TIMEOUT, client.next()).await.expect("the connection ends")
    {
        match message {
            Ok(Message::Close(frame)) => last = frame,
            Ok(_) => {}
            Err(_) => break,
        }
    }
    last.map(|CloseFrame { code, reason }| (code.into(), reason.as_str().to_owned()))
}
