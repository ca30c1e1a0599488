//! Tests that build, start and use each project in `examples/`, as its author would.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod support;

use std::process::Stdio;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::types::AttributeValue;
use bytes::Bytes;
use futures::{SinkExt as _, StreamExt as _};
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use support::Process;

/// A local cloud that runs one of the examples.
struct Example {
    process: Process,
}

impl Example {
    fn start(name: &str) -> Self {
        let template = format!("{}/examples/{name}/template.yaml", env!("CARGO_MANIFEST_DIR"));
        let arguments = ["--http-port", "0", "--ws-port", "0", "--template", &template];
        Self { process: Process::start(&arguments, Stdio::inherit()) }
    }

    fn url(&self, service: &str) -> &str {
        self.process.url(service)
    }

    async fn http(&self, method: Method, url: String, body: &str) -> (u16, Value) {
        let client = hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build_http();
        let request = Request::builder()
            .method(method)
            .uri(url)
            .header("content-type", "application/json")
            .body(Full::new(Bytes::copy_from_slice(body.as_bytes())))
            .expect("a request");
        let answer = client.request(request).await.expect("an answer");
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.expect("a body").to_bytes();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    /// Returns a client with the developer's permissions, which allow everything.
    fn dynamodb(&self) -> Client {
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(self.url("dynamodb"))
            .credentials_provider(Credentials::new("developer", "x", None, None, "test"))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build();
        Client::from_conf(config)
    }
}

/// Calls `poll` until it returns a value, and panics after 20 seconds.
async fn eventually<T>(what: &str, mut poll: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(value) = poll().await {
            return value;
        }
        assert!(Instant::now() < deadline, "timed out waiting for {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn todos_are_created_listed_and_deleted() {
    let todos = Example::start("todos");
    assert_eq!(todos.process.ready["ws"], Value::Null);
    assert_eq!(todos.process.ready["stripe"], Value::Null);
    let url = |path: &str| format!("{}{path}", todos.url("http"));
    let (status, created) =
        todos.http(Method::POST, url("/todos"), r#"{"text": "Buy milk"}"#).await;
    assert_eq!((status, &created["text"]), (201, &json!("Buy milk")));
    assert_eq!(todos.http(Method::POST, url("/todos"), "{}").await.0, 400);
    assert_eq!(todos.http(Method::GET, url("/todos"), "").await, (200, json!([created])));
    let one = url(&format!("/todos/{}", created["id"].as_str().unwrap()));
    assert_eq!(todos.http(Method::DELETE, one, "").await, (204, Value::Null));
    assert_eq!(todos.http(Method::GET, url("/todos"), "").await, (200, json!([])));
    assert_eq!(todos.http(Method::GET, url("/other"), "").await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_chat_client_receives_every_message() {
    let chat = Example::start("chat");
    let url = format!("{}/Prod", chat.url("ws"));
    let (mut alice, _) = connect_async(&url).await.unwrap();
    let (mut bob, _) = connect_async(&url).await.unwrap();
    let hello = r#"{"action": "sendmessage", "data": "hello"}"#;
    alice.send(Message::text(hello)).await.unwrap();
    for socket in [&mut alice, &mut bob] {
        let message = tokio::time::timeout(Duration::from_secs(10), socket.next()).await;
        assert_eq!(message.unwrap().unwrap().unwrap(), Message::text("hello"));
    }
    // API Gateway itself answers a message without a route.
    bob.send(Message::text(r#"{"action": "sing"}"#)).await.unwrap();
    let answer = bob.next().await.unwrap().unwrap().into_text().unwrap();
    assert!(answer.contains("Forbidden"), "{answer}");
    bob.close(None).await.unwrap();
    let dynamodb = chat.dynamodb();
    eventually("the removal of the connection by $disconnect", async || {
        let scanned = dynamodb.scan().table_name("chat_connections").send().await.unwrap();
        (scanned.count() == 1).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn table_changes_are_recorded_and_the_rules_function_counts_them() {
    let audit = Example::start("audit");
    let dynamodb = audit.dynamodb();
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let put = dynamodb.put_item().table_name("local-notes").item("id", text("note-1"));
    put.send().await.unwrap();
    let changed = dynamodb.update_item().table_name("local-notes").key("id", text("note-1"));
    // The filter drops this change, because it only passes creations and removals.
    let changed =
        changed.update_expression("SET n = :n").expression_attribute_values(":n", text("1"));
    changed.send().await.unwrap();
    dynamodb
        .delete_item()
        .table_name("local-notes")
        .key("id", text("note-1"))
        .send()
        .await
        .unwrap();
    let entries = eventually("the recording of both changes", async || {
        let scanned = dynamodb.scan().table_name("local-audit").send().await.unwrap();
        let mut texts: Vec<String> =
            scanned.items().iter().map(|i| i["text"].as_s().unwrap().clone()).collect();
        texts.sort();
        (texts.len() == 2).then_some(texts)
    })
    .await;
    assert_eq!(entries, ["INSERT note-1", "REMOVE note-1"]);
    // Invokes the function as the rule does every minute. The call would fail if the function
    // lacked the permission to read.
    let invoke = format!("{}/2015-03-31/functions/count/invocations", audit.url("invoke"));
    let answer = audit.http(Method::POST, invoke, r#"{"store": true}"#).await;
    assert_eq!(answer, (200, json!({"changes": 2})));
}
