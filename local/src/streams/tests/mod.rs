//! Tests of event source mappings, with a real database and a fake function that records its
//! events.

mod failing;
mod reading;
mod restarting;

use std::sync::Mutex;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use bytes::Bytes;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::*;
use crate::dynamodb::{DynamoDb, Storage};
use crate::iam::Iam;
use crate::invoke::{FunctionError, Invocation, Invoke, InvokeError};
use crate::log::Log;
use crate::model::{Project, Queue as QueueModel, StreamMapping};
use crate::testing::{self, TempDir};

type Reply = Result<Value, InvokeError>;
type ReplyFn = dyn Fn(&str, &[String]) -> Reply + Send + Sync;

/// A fake function that records each batch and replies with the result of `reply`.
/// `Ok(json!("fail"))` stands for a function error.
struct FakeFunction {
    reply: Box<ReplyFn>,
    batches: Mutex<Vec<Vec<String>>>,
    events: Mutex<Vec<Value>>,
    changed: tokio::sync::Notify,
}

impl FakeFunction {
    fn new(reply: impl Fn(&str, &[String]) -> Reply + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            reply: Box::new(reply),
            batches: Mutex::default(),
            events: Mutex::default(),
            changed: tokio::sync::Notify::new(),
        })
    }

    fn succeeding() -> Arc<Self> {
        Self::new(|_, _| Ok(json!({})))
    }

    fn batches(&self) -> Vec<Vec<String>> {
        self.batches.lock().unwrap().clone()
    }

    /// Waits until the recorded batches satisfy `condition`. Panics after 20 seconds.
    async fn until(&self, condition: impl Fn(&[Vec<String>]) -> bool) -> Vec<Vec<String>> {
        let waiting = async {
            loop {
                let changed = self.changed.notified();
                let batches = self.batches();
                if condition(&batches) {
                    return batches;
                }
                changed.await;
            }
        };
        let result = tokio::time::timeout(Duration::from_secs(20), waiting).await;
        result.unwrap_or_else(|_| panic!("the condition never holds: {:?}", self.batches()))
    }

    async fn until_invoked(&self, times: usize) -> Vec<Vec<String>> {
        self.until(|batches| batches.len() >= times).await
    }
}

impl Invoke for FakeFunction {
    fn invoke<'a>(
        &'a self,
        function: &'a str,
        payload: Bytes,
    ) -> BoxFuture<'a, Result<Invocation, InvokeError>> {
        Box::pin(async move {
            let event: Value = serde_json::from_slice(&payload).unwrap();
            let keys: Vec<String> = event["Records"]
                .as_array()
                .unwrap()
                .iter()
                .map(|r| r["dynamodb"]["Keys"]["pk"]["S"].as_str().unwrap().to_owned())
                .collect();
            let reply = (self.reply)(function, &keys);
            self.events.lock().unwrap().push(event.clone());
            self.batches.lock().unwrap().push(keys);
            self.changed.notify_waiters();
            let mut reply = reply?;
            // Replaces the keys of failed records by their sequence numbers.
            for failure in reply
                .get_mut("batchItemFailures")
                .and_then(Value::as_array_mut)
                .into_iter()
                .flatten()
            {
                let mut records = event["Records"].as_array().unwrap().iter();
                if let Some(record) =
                    records.find(|r| r["dynamodb"]["Keys"]["pk"]["S"] == failure["itemIdentifier"])
                {
                    failure["itemIdentifier"] = record["dynamodb"]["SequenceNumber"].clone();
                }
            }
            Ok(if reply == "fail" {
                let payload = json!({"errorMessage": "no", "errorType": "E"}).to_string().into();
                Invocation { payload, error: Some(FunctionError::Unhandled) }
            } else {
                Invocation { payload: reply.to_string().into(), error: None }
            })
        })
    }
}

fn mapping() -> StreamMapping {
    StreamMapping {
        name: "live-notify/Orders".into(),
        table: "marketplace".into(),
        batch_size: 100,
        batch_window: Duration::ZERO,
        from_start: true,
        filters: Vec::new(),
        bisect: false,
        report_batch_item_failures: false,
        max_retries: None,
        max_age: None,
        parallelization: 1,
        on_failure: Some("arn:aws:sqs:us-east-1:000000000000:undelivered".into()),
    }
}

const PACE: Pace = Pace {
    // Far longer than a test, so that records arrive by notification and not by polling.
    poll: Duration::from_secs(600),
    first_retry: Duration::from_millis(5),
    longest_retry: Duration::from_millis(20),
};

struct Cloud {
    dir: TempDir,
    project: Project,
    dynamodb: DynamoDb,
    client: Client,
}

impl Cloud {
    async fn new(mappings: Vec<StreamMapping>) -> Self {
        let mut function = testing::function("live-notify", Vec::new());
        function.streams = mappings;
        let project = Project {
            functions: vec![function],
            tables: vec![testing::table("marketplace")],
            queues: vec![QueueModel {
                name: "undelivered".into(),
                arn: "arn:aws:sqs:us-east-1:000000000000:undelivered".into(),
            }],
            ..Project::default()
        };
        let dir = TempDir::new();
        let dynamodb = Self::open(&project, &dir).await;
        let client = testing::client(&dynamodb.endpoint_url, "AKIADEVELOPER0000000");
        Self { dir, project, dynamodb, client }
    }

    async fn open(project: &Project, dir: &TempDir) -> DynamoDb {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let storage = Storage::Directory(dir.0.clone());
        DynamoDb::start(project, Arc::new(Iam::new(project)), storage, listener, Log::default())
            .await
            .unwrap()
    }

    async fn restart(&mut self) {
        self.dynamodb = Self::open(&self.project, &self.dir).await;
        self.client = testing::client(&self.dynamodb.endpoint_url, "AKIADEVELOPER0000000");
    }

    async fn try_streams(&self, fake: &Arc<FakeFunction>, pace: Pace) -> anyhow::Result<Streams> {
        let (project, dynamodb, invoke) = (&self.project, &self.dynamodb, fake.clone());
        let (data_dir, log) = (Some(&*self.dir.0), Log::default());
        Streams::start(&Setup { project, dynamodb, invoke, data_dir, log, pace }).await
    }

    async fn streams(&self, fake: &Arc<FakeFunction>) -> Streams {
        self.try_streams(fake, PACE).await.unwrap()
    }

    async fn put(&self, pk: &str, state: &str) {
        put(&self.client, pk, state).await;
    }

    async fn put_all(&self, pks: &[&str]) {
        for pk in pks {
            self.put(pk, "open").await;
        }
    }

    /// Waits for a message in the on-failure queue and returns all its messages.
    async fn undelivered(&self) -> Vec<Value> {
        let file = self.dir.0.join("queues/undelivered.jsonl");
        for _ in 0..2000 {
            if let Ok(lines) = std::fs::read_to_string(&file) {
                return lines.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the queue stays empty");
    }
}

async fn put(client: &Client, pk: &str, state: &str) {
    let s = |v: &str| AttributeValue::S(v.into());
    let put = client
        .put_item()
        .table_name("marketplace")
        .item("pk", s(pk))
        .item("sk", s("x"))
        .item("state", s(state));
    put.send().await.unwrap();
}

fn concat(batches: &[Vec<String>]) -> Vec<String> {
    batches.concat()
}
