//! The clauses of an event source mapping, each with a real database and a function that records what it is given.

use std::sync::Mutex;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::*;
use crate::dynamodb::Storage;
use crate::iam::Iam;
use crate::invoke::{FunctionError, Invocation, InvokeError};
use crate::model::Queue as QueueModel;
use crate::testing::{self, TempDir};

type Reply = Result<Value, InvokeError>;
type Function = dyn Fn(&str, &[String]) -> Reply + Send + Sync;

/// A function: answers a batch as `reply` says, and records it. `Ok(json!("fail"))` is a function error.
struct Fake {
    reply: Box<Function>,
    batches: Mutex<Vec<Vec<String>>>,
    events: Mutex<Vec<Value>>,
    changed: tokio::sync::Notify,
}

impl Fake {
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

    /// Waits until what was recorded is as wanted; fails with what it is after a long time.
    async fn until(&self, wanted: impl Fn(&[Vec<String>]) -> bool) -> Vec<Vec<String>> {
        let waiting = async {
            loop {
                let changed = self.changed.notified();
                let batches = self.batches();
                if wanted(&batches) {
                    return batches;
                }
                changed.await;
            }
        };
        let result = tokio::time::timeout(Duration::from_secs(20), waiting).await;
        result.unwrap_or_else(|_| panic!("never as wanted: {:?}", self.batches()))
    }

    async fn until_invoked(&self, times: usize) -> Vec<Vec<String>> {
        self.until(|batches| batches.len() >= times).await
    }
}

impl Invoke for Fake {
    fn invoke<'a>(&'a self, function: &'a str, payload: Bytes) -> BoxFuture<'a, Result<Invocation, InvokeError>> {
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
            // Keys of failed records become their sequence numbers.
            for failure in reply.get_mut("batchItemFailures").and_then(Value::as_array_mut).into_iter().flatten() {
                let mut records = event["Records"].as_array().unwrap().iter();
                if let Some(record) = records.find(|r| r["dynamodb"]["Keys"]["pk"]["S"] == failure["itemIdentifier"]) {
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
    // Far longer than a test: what arrives was told, not found by polling.
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
        DynamoDb::start(project, Arc::new(Iam::new(project)), storage, listener, Log::default()).await.unwrap()
    }

    async fn restart(&mut self) {
        self.dynamodb = Self::open(&self.project, &self.dir).await;
        self.client = testing::client(&self.dynamodb.endpoint_url, "AKIADEVELOPER0000000");
    }

    async fn try_streams(&self, fake: &Arc<Fake>, pace: Pace) -> anyhow::Result<Streams> {
        let invoke: Arc<dyn Invoke> = fake.clone();
        Streams::start_at_pace(&self.project, &self.dynamodb, invoke, Some(&self.dir.0), Log::default(), pace).await
    }

    async fn streams(&self, fake: &Arc<Fake>) -> Streams {
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

    /// The messages in the on-failure queue, once there is one.
    async fn undelivered(&self) -> Vec<Value> {
        let file = self.dir.0.join("queues/undelivered.jsonl");
        for _ in 0..2000 {
            if let Ok(lines) = std::fs::read_to_string(&file) {
                return lines.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("nothing was put into the queue");
    }
}

async fn put(client: &Client, pk: &str, state: &str) {
    let s = |v: &str| AttributeValue::S(v.into());
    let put = client.put_item().table_name("marketplace").item("pk", s(pk)).item("sk", s("x")).item("state", s(state));
    put.send().await.unwrap();
}

fn concat(batches: &[Vec<String>]) -> Vec<String> {
    batches.concat()
}

#[tokio::test]
async fn records_arrive_in_lambdas_shape() {
    let cloud = Cloud::new(vec![mapping()]).await;
    let fake = Fake::succeeding();
    cloud.put("A", "open").await;
    let _streams = cloud.streams(&fake).await;
    fake.until_invoked(1).await;
    let record = fake.events.lock().unwrap()[0]["Records"][0].clone();
    assert_eq!(record["eventName"], "INSERT");
    assert_eq!(record["awsRegion"], "us-east-1");
    assert_eq!(record["dynamodb"]["NewImage"]["state"], json!({"S": "open"}));
    let arn = record["eventSourceARN"].as_str().unwrap();
    assert!(arn.starts_with("arn:aws:dynamodb:us-east-1:000000000000:table/marketplace/stream/"), "{arn}");
}

#[tokio::test]
async fn a_write_through_the_front_is_delivered_without_polling() {
    let cloud = Cloud::new(vec![mapping()]).await;
    let fake = Fake::succeeding();
    let _streams = cloud.streams(&fake).await;
    for i in 1..=3 {
        cloud.put(&format!("{i}"), "open").await;
        fake.until_invoked(i).await;
    }
    assert_eq!(fake.batches(), [["1"], ["2"], ["3"]]);
}

#[tokio::test]
async fn a_write_that_passes_the_front_by_is_found_by_polling() {
    let cloud = Cloud::new(vec![mapping()]).await;
    let fake = Fake::succeeding();
    let _streams = cloud.try_streams(&fake, Pace { poll: Duration::from_millis(50), ..PACE }).await.unwrap();
    put(&testing::client(&cloud.dynamodb.streams.url, crate::dynamodb::ACCESS_KEY_ID), "A", "open").await;
    fake.until_invoked(1).await;
}

#[tokio::test]
async fn batches_are_no_larger_than_their_size() {
    let cloud = Cloud::new(vec![StreamMapping { batch_size: 2, ..mapping() }]).await;
    let fake = Fake::succeeding();
    cloud.put_all(&["a", "b", "c", "d", "e"]).await;
    let _streams = cloud.streams(&fake).await;
    assert_eq!(fake.until_invoked(3).await, [vec!["a", "b"], vec!["c", "d"], vec!["e"]]);
}

#[tokio::test]
async fn a_batching_window_gathers_records_and_ends_early_when_the_batch_is_full() {
    let window = Duration::from_millis(1500);
    let cloud = Cloud::new(vec![StreamMapping { batch_size: 3, batch_window: window, ..mapping() }]).await;
    let fake = Fake::succeeding();
    let _streams = cloud.streams(&fake).await;
    cloud.put_all(&["a", "b", "c", "d", "e"]).await;
    assert_eq!(fake.until_invoked(2).await, [vec!["a", "b", "c"], vec!["d", "e"]]);
}

#[tokio::test]
async fn a_payload_stays_below_six_megabytes() {
    let cloud = Cloud::new(vec![mapping()]).await;
    let fake = Fake::succeeding();
    let large = "x".repeat(390_000);
    for i in 0..17 {
        let item = cloud.client.put_item().table_name("marketplace").item("pk", AttributeValue::S(format!("{i}")));
        let item = item.item("sk", AttributeValue::S("x".into())).item("data", AttributeValue::S(large.clone()));
        item.send().await.unwrap();
    }
    let _streams = cloud.streams(&fake).await;
    let batches = fake.until(|batches| batches.concat().len() == 17).await;
    assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), [16, 1]);
    assert!(fake.events.lock().unwrap().iter().all(|e| e.to_string().len() <= 6 * 1024 * 1024));
}

#[tokio::test]
async fn only_records_that_pass_the_filter_are_delivered() {
    let filters =
        vec![json!({"eventName": ["MODIFY"], "dynamodb": {"NewImage": {"state": {"S": [{"prefix": "op"}]}}}})];
    let cloud = Cloud::new(vec![StreamMapping { filters, ..mapping() }]).await;
    let fake = Fake::succeeding();
    for (pk, state) in [("a", "draft"), ("b", "draft"), ("a", "open"), ("b", "closed"), ("c", "open")] {
        cloud.put(pk, state).await;
    }
    let _streams = cloud.streams(&fake).await;
    cloud.put("b", "opened").await;
    assert_eq!(concat(&fake.until(|b| b.concat().len() == 2).await), ["a", "b"]);
}

#[tokio::test]
async fn a_batch_that_fails_is_delivered_again_until_it_succeeds() {
    let cloud = Cloud::new(vec![mapping()]).await;
    let left = Mutex::new(3);
    let fake = Fake::new(move |_, _| {
        let mut left = left.lock().unwrap();
        *left -= 1;
        Ok(if *left > 0 { json!("fail") } else { json!({}) })
    });
    cloud.put_all(&["a", "b"]).await;
    let _streams = cloud.streams(&fake).await;
    fake.until_invoked(3).await;
    cloud.put("c", "open").await;
    assert_eq!(fake.until_invoked(4).await, [vec!["a", "b"], vec!["a", "b"], vec!["a", "b"], vec!["c"]]);
}

#[tokio::test]
async fn a_batch_is_given_up_after_its_retries_and_goes_to_the_destination() {
    let cloud = Cloud::new(vec![StreamMapping { max_retries: Some(2), ..mapping() }]).await;
    let fake = Fake::new(|_, keys| Ok(if keys.contains(&"b".into()) { json!("fail") } else { json!({}) }));
    cloud.put_all(&["a", "b"]).await;
    let _streams = cloud.streams(&fake).await;
    fake.until_invoked(3).await;
    let message = cloud.undelivered().await.remove(0);
    cloud.put("c", "open").await;
    assert_eq!(fake.until_invoked(4).await, [vec!["a", "b"], vec!["a", "b"], vec!["a", "b"], vec!["c"]]);

    let records = fake.events.lock().unwrap()[0]["Records"].clone();
    assert_eq!(message["requestContext"]["condition"], "RetryAttemptsExhausted");
    assert_eq!(message["requestContext"]["approximateInvokeCount"], 3);
    assert_eq!(message["requestContext"]["functionArn"], "arn:aws:lambda:us-east-1:000000000000:function:live-notify");
    assert_eq!(
        message["responseContext"],
        json!({"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"})
    );
    let info = &message["DDBStreamBatchInfo"];
    assert_eq!(info["startSequenceNumber"], records[0]["dynamodb"]["SequenceNumber"]);
    assert_eq!(info["endSequenceNumber"], records[1]["dynamodb"]["SequenceNumber"]);
    assert_eq!(info["batchSize"], 2);
    assert_eq!(info["streamArn"], records[0]["eventSourceARN"]);
    assert!(info["shardId"].as_str().unwrap().starts_with("shardId-"));
}

#[tokio::test]
async fn bisecting_isolates_the_poison_record() {
    let cloud = Cloud::new(vec![StreamMapping { bisect: true, max_retries: Some(1), ..mapping() }]).await;
    let fake = Fake::new(|_, keys| Ok(if keys.contains(&"poison".into()) { json!("fail") } else { json!({}) }));
    cloud.put_all(&["a", "b", "poison", "c"]).await;
    let _streams = cloud.streams(&fake).await;
    cloud.undelivered().await;
    let batches = fake.until(|b| b.last().is_some_and(|b| b == &["c"])).await;
    assert_eq!(
        batches,
        // The splits are no retries: the poison record alone has its one retry.
        [vec!["a", "b", "poison", "c"], vec!["a", "b"], vec!["poison", "c"], vec!["poison"], vec!["poison"], vec!["c"]]
    );
    assert_eq!(cloud.undelivered().await[0]["DDBStreamBatchInfo"]["batchSize"], 1);
}

fn reports(max_retries: u32, bisect: bool) -> StreamMapping {
    StreamMapping { report_batch_item_failures: true, max_retries: Some(max_retries), bisect, ..mapping() }
}

#[tokio::test]
async fn a_partial_failure_is_delivered_again_from_the_lowest_failed_record() {
    let cloud = Cloud::new(vec![reports(5, false)]).await;
    let fake = Fake::new(|_, keys| {
        Ok(match keys.len() {
            // Not in order: the lowest counts.
            4 => json!({"batchItemFailures": [{"itemIdentifier": "d"}, {"itemIdentifier": "b"}]}),
            3 => json!({"batchItemFailures": [{"itemIdentifier": "d"}]}),
            _ => json!({"batchItemFailures": []}),
        })
    });
    cloud.put_all(&["a", "b", "c", "d"]).await;
    let _streams = cloud.streams(&fake).await;
    assert_eq!(fake.until_invoked(3).await, [vec!["a", "b", "c", "d"], vec!["b", "c", "d"], vec!["d"]]);
}

#[tokio::test]
async fn with_bisect_a_reported_poison_record_is_given_up_alone() {
    let cloud = Cloud::new(vec![reports(1, true)]).await;
    let fake = Fake::new(|_, keys| {
        let failed = keys.iter().filter(|k| *k == "poison").map(|k| json!({"itemIdentifier": k}));
        Ok(json!({"batchItemFailures": failed.collect::<Vec<_>>()}))
    });
    cloud.put_all(&["a", "poison", "b", "c"]).await;
    let _streams = cloud.streams(&fake).await;
    let batches = fake.until(|b| b.concat().contains(&"c".into()) && b.last().is_some_and(|b| b == &["b", "c"])).await;
    assert_eq!(
        batches,
        [vec!["a", "poison", "b", "c"], vec!["poison", "b", "c"], vec!["poison"], vec!["poison"], vec!["b", "c"]]
    );
    let messages = cloud.undelivered().await;
    assert_eq!(messages[0]["DDBStreamBatchInfo"]["batchSize"], 1);
    assert_eq!(messages[0]["responseContext"]["functionError"], Value::Null);
}

#[tokio::test]
async fn a_malformed_reply_fails_the_whole_batch_and_an_empty_one_none_of_it() {
    for (reply, succeeds) in [
        (json!(null), true),
        (json!({}), true),
        (json!({"batchItemFailures": null}), true),
        (json!({"batchItemFailures": []}), true),
        (json!({"batchItemFailures": [{"itemIdentifier": "a"}, {"wrong": "b"}]}), false),
        (json!({"batchItemFailures": [{"itemIdentifier": ""}]}), false),
        (json!({"batchItemFailures": [{"itemIdentifier": null}]}), false),
        (json!({"batchItemFailures": [{"itemIdentifier": "of no record"}]}), false),
        (json!({"batchItemFailures": "b"}), false),
        (json!("text"), false),
    ] {
        let cloud = Cloud::new(vec![reports(0, false)]).await;
        let answer = reply.clone();
        let fake = Fake::new(move |_, keys| Ok(if keys.len() == 2 { answer.clone() } else { json!({}) }));
        cloud.put_all(&["a", "b"]).await;
        let _streams = cloud.streams(&fake).await;
        fake.until_invoked(1).await;
        cloud.put("c", "open").await;
        fake.until(|b| b.last().is_some_and(|b| b == &["c"])).await;
        assert_eq!(!cloud.dir.0.join("queues/undelivered.jsonl").exists(), succeeds, "{reply}");
    }
}

#[tokio::test]
async fn a_throttled_function_costs_no_retries() {
    let cloud = Cloud::new(vec![StreamMapping { max_retries: Some(0), ..mapping() }]).await;
    let left = Mutex::new(4);
    let fake = Fake::new(move |_, _| {
        let mut left = left.lock().unwrap();
        *left -= 1;
        if *left > 0 { Err(InvokeError::Throttled("rate exceeded".into())) } else { Ok(json!({})) }
    });
    cloud.put("a", "open").await;
    let _streams = cloud.streams(&fake).await;
    fake.until_invoked(4).await;
    cloud.put("b", "open").await;
    fake.until(|b| b.last().is_some_and(|b| b == &["b"])).await;
    assert!(!cloud.dir.0.join("queues").exists());
}

#[tokio::test]
async fn records_are_given_up_when_they_are_too_old() {
    let cloud = Cloud::new(vec![StreamMapping { max_age: Some(Duration::from_secs(1)), ..mapping() }]).await;
    let fake = Fake::new(|_, keys| Ok(if keys == ["old"] { json!("fail") } else { json!({}) }));
    cloud.put("old", "open").await;
    let _streams = cloud.streams(&fake).await;
    let message = cloud.undelivered().await.remove(0);
    assert_eq!(message["requestContext"]["condition"], "RecordAgeExceeded");
    cloud.put("new", "open").await;
    fake.until(|b| b.last().is_some_and(|b| b == &["new"])).await;
}

#[tokio::test]
async fn parallel_lanes_keep_the_order_per_item_and_do_not_wait_for_each_other() {
    let cloud = Cloud::new(vec![StreamMapping { parallelization: 10, batch_size: 3, ..mapping() }]).await;
    let fake = Fake::new(|_, keys| Ok(if keys.contains(&"poison".into()) { json!("fail") } else { json!({}) }));
    cloud.put("poison", "open").await;
    for state in 0..5 {
        for pk in 0..20 {
            cloud.put(&format!("item {pk}"), &format!("{state}")).await;
        }
    }
    let _streams = cloud.streams(&fake).await;
    // One lane of ten is stuck behind the poison record. A lane that is not has all five states of its items, in order.
    let poisoned = |batches: &[Vec<String>]| batches.iter().filter(|b| b.contains(&"poison".into())).count();
    let processed =
        |batches: &[Vec<String>]| batches.iter().filter(|b| !b.contains(&"poison".into())).flatten().count();
    let expected = {
        let lane = |pk: &str| crc32fast::hash(format!(r#"pk={{"S":"{pk}"}}&sk={{"S":"x"}}"#).as_bytes()) % 10;
        5 * (0..20).filter(|pk| lane(&format!("item {pk}")) != lane("poison")).count()
    };
    assert!(expected > 0);
    fake.until(|batches| processed(batches) == expected && poisoned(batches) > 2).await;
    let events = fake.events.lock().unwrap();
    let records = events.iter().flat_map(|e| e["Records"].as_array().unwrap().clone());
    let mut states: HashMap<String, Vec<String>> = HashMap::new();
    for record in records {
        let text = |v: &Value| v["S"].as_str().unwrap().to_owned();
        states
            .entry(text(&record["dynamodb"]["Keys"]["pk"]))
            .or_default()
            .push(text(&record["dynamodb"]["NewImage"]["state"]));
    }
    let complete = states.values().filter(|s| **s == ["0", "1", "2", "3", "4"]).count();
    assert_eq!(complete * 5, expected);
}

#[tokio::test]
async fn a_function_that_fails_does_not_hold_up_another() {
    let mut cloud = Cloud::new(vec![mapping()]).await;
    let mut other = testing::function("orders-index", Vec::new());
    other.streams = vec![StreamMapping { name: "orders-index/Orders".into(), ..mapping() }];
    cloud.project.functions.push(other);
    let fake = Fake::new(|function, keys| {
        Ok(if function == "live-notify" {
            json!("fail")
        } else {
            assert_eq!(keys.len(), 1);
            json!({"ok": true})
        })
    });
    let _streams = cloud.streams(&fake).await;
    for pk in ["a", "b", "c"] {
        cloud.put(pk, "open").await;
        fake.until(|batches| batches.contains(&vec![pk.to_owned()])).await;
    }
}

#[tokio::test]
async fn after_a_restart_it_goes_on_where_it_stopped() {
    let mut cloud = Cloud::new(vec![StreamMapping { batch_size: 1, ..mapping() }]).await;
    let stuck = Fake::new(|_, keys| Ok(if keys == ["b"] { json!("fail") } else { json!({}) }));
    cloud.put_all(&["a", "b", "c"]).await;
    let streams = cloud.streams(&stuck).await;
    stuck.until(|batches| batches.last().is_some_and(|b| b == &["b"])).await;
    drop(streams);

    cloud.restart().await;
    cloud.put("d", "open").await;
    let fake = Fake::succeeding();
    let streams = cloud.streams(&fake).await;
    assert_eq!(concat(&fake.until_invoked(3).await), ["b", "c", "d"]);
    cloud.put("e", "open").await;
    fake.until_invoked(4).await;
    drop(streams);

    // All is delivered: nothing comes again.
    cloud.restart().await;
    let fake = Fake::succeeding();
    let _streams = cloud.streams(&fake).await;
    cloud.put("f", "open").await;
    assert_eq!(concat(&fake.until_invoked(1).await), ["f"]);
}

#[tokio::test]
async fn latest_starts_after_the_last_record_even_of_the_same_second() {
    let cloud = Cloud::new(vec![StreamMapping { from_start: false, ..mapping() }]).await;
    let fake = Fake::succeeding();
    cloud.put("before", "open").await;
    let _streams = cloud.streams(&fake).await;
    cloud.put("after", "open").await;
    assert_eq!(fake.until_invoked(1).await, [["after"]]);
}

#[tokio::test]
async fn latest_starts_at_the_end_and_loses_nothing_in_a_restart() {
    let mut cloud = Cloud::new(vec![StreamMapping { from_start: false, ..mapping() }]).await;
    cloud.put("before", "open").await;
    // A record of the same second would be taken for a later one after a restart: times in a stream are seconds.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let down = Fake::new(|_, _| Err(InvokeError::Unavailable("crashed at init".into())));
    let streams = cloud.streams(&down).await;
    cloud.put("after", "open").await;
    down.until_invoked(1).await;
    drop(streams);
    assert!(down.batches().iter().all(|b| b == &["after"]));

    cloud.restart().await;
    let fake = Fake::succeeding();
    let _streams = cloud.streams(&fake).await;
    assert_eq!(fake.until_invoked(1).await, [["after"]]);
}

#[tokio::test]
async fn what_ttl_deletes_arrives_as_a_removal_by_the_service() {
    let filters = vec![json!({"userIdentity": {"type": ["Service"], "principalId": ["dynamodb.amazonaws.com"]}})];
    let cloud = Cloud::new(vec![StreamMapping { filters, ..mapping() }]).await;
    let fake = Fake::succeeding();
    let _streams = cloud.streams(&fake).await;
    let item = cloud.client.put_item().table_name("marketplace").item("pk", AttributeValue::S("expired".into()));
    let item =
        item.item("sk", AttributeValue::S("x".into())).item("expires_at", AttributeValue::N("1700000000".into()));
    item.send().await.unwrap();
    cloud.dynamodb.sweep().await;
    // Wakes the reader, which nobody told of the sweep.
    cloud.put("later", "open").await;
    assert_eq!(fake.until_invoked(1).await, [["expired"]]);
    let record = fake.events.lock().unwrap()[0]["Records"][0].clone();
    assert_eq!(record["eventName"], "REMOVE");
    assert_eq!(record["dynamodb"]["OldImage"]["pk"], json!({"S": "expired"}));
}

#[tokio::test]
async fn a_mapping_that_cannot_work_is_named() {
    let fake = Fake::succeeding();
    for (mapping, named) in [
        (
            StreamMapping { on_failure: Some("arn:aws:sqs:::none".into()), ..mapping() },
            "arn:aws:sqs:::none is no queue",
        ),
        (StreamMapping { table: "none".into(), ..mapping() }, "no table none"),
        (StreamMapping { filters: vec![json!({"a": [{"cidr": "10.0.0.0/8"}]})], ..mapping() }, "cidr"),
    ] {
        let cloud = Cloud::new(vec![mapping]).await;
        let error = cloud.try_streams(&fake, PACE).await.err().unwrap();
        let error = format!("{error:#}");
        assert!(error.contains(named) && error.contains("live-notify/Orders"), "{error}");
    }
    let mut cloud = Cloud::new(vec![]).await;
    let mut silent = testing::table("silent");
    silent.stream_view_type = None;
    cloud.project.tables.push(silent);
    cloud.restart().await;
    cloud.project.functions[0].streams = vec![StreamMapping { table: "silent".into(), ..mapping() }];
    let error = format!("{:#}", cloud.try_streams(&fake, PACE).await.err().unwrap());
    assert!(error.contains("table silent has no stream"), "{error}");
}
