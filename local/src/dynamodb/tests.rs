//! Tests of the proxy and the embedded database, through the AWS SDK.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::{AttributeValue, Delete, KeysAndAttributes, Put, TransactWriteItem};
use serde_json::{Value, json};

use super::*;
use crate::iam::access_key_id;
use crate::model::Statement;
use crate::testing::{self, TempDir};

const TABLE: &str = "arn:aws:dynamodb:us-east-1:000000000000:table/marketplace";

/// An access key that doesn't belong to any function.
const DEVELOPER: &str = "AKIADEVELOPER0000000";

fn project(policy: &[(&str, &str)]) -> Project {
    let statements = policy.iter().map(|(action, resource)| Statement {
        actions: vec![(*action).into()],
        resources: vec![(*resource).into()],
        leading_keys: None,
    });
    Project {
        functions: vec![testing::function("orders-create", statements.collect())],
        tables: vec![testing::table("marketplace")],
        ..Project::default()
    }
}

async fn start(project: &Project, storage: Storage) -> anyhow::Result<DynamoDb> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    DynamoDb::start(project, Arc::new(Iam::new(project)), storage, listener, Log::default()).await
}

async fn in_memory(policy: &[(&str, &str)]) -> (DynamoDb, Client) {
    let db = start(&project(policy), Storage::Memory).await.unwrap();
    let client = testing::client(&db.endpoint_url, &access_key_id("orders-create"));
    (db, client)
}

fn s(value: &str) -> AttributeValue {
    AttributeValue::S(value.into())
}

async fn put(client: &Client, pk: &str) -> Result<(), String> {
    let put = client.put_item().table_name("marketplace").item("pk", s(pk)).item("sk", s("x"));
    put.send().await.map(drop).map_err(|e| code(&e))
}

/// Returns the error's code, or the kind of failure.
fn code<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> String {
    match error {
        SdkError::ServiceError(e) => e.err().code().unwrap_or("?").to_owned(),
        SdkError::DispatchFailure(_) => "dispatch failure".into(),
        SdkError::TimeoutError(_) => "timeout".into(),
        _ => "other".into(),
    }
}

async fn control(db: &DynamoDb, method: &str, path: &str, body: Value) -> (u16, Value) {
    let upstream = Upstream::new(db.endpoint_url.strip_prefix("http://").unwrap().parse().unwrap());
    let body = http_body_util::Full::from(body.to_string());
    let answer = upstream
        .forward(http::Request::builder().method(method).uri(path).body(body).unwrap())
        .await
        .unwrap();
    (answer.status().as_u16(), serde_json::from_slice(answer.body()).unwrap())
}

fn endpoint(url: Uri) -> Storage {
    Storage::Endpoint { url, own_tables: false }
}

#[tokio::test]
async fn a_function_can_do_what_its_policy_allows() {
    let (_db, client) =
        in_memory(&[("dynamodb:PutItem", TABLE), ("dynamodb:GetItem", TABLE)]).await;
    put(&client, "A").await.unwrap();
    let got = client
        .get_item()
        .table_name("marketplace")
        .key("pk", s("A"))
        .key("sk", s("x"))
        .send()
        .await
        .unwrap();
    assert_eq!(got.item().unwrap()["pk"], s("A"));
    assert!(got.consumed_capacity().is_none(), "the client didn't request the capacity");
}

#[tokio::test]
async fn a_call_outside_the_policy_gets_aws_access_denied_error() {
    let (_db, client) = in_memory(&[("dynamodb:GetItem", TABLE)]).await;
    let error = client
        .put_item()
        .table_name("marketplace")
        .item("pk", s("A"))
        .item("sk", s("x"))
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.raw_response().unwrap().status().as_u16(), 400);
    let error = error.into_service_error();
    assert_eq!(error.code(), Some("AccessDeniedException"));
    assert_eq!(
        error.message().unwrap(),
        format!(
            "User: arn:aws:sts::000000000000:assumed-role/orders-create/orders-create is not \
             authorized to perform: dynamodb:PutItem on resource: {TABLE} because no \
             identity-based policy allows the dynamodb:PutItem action"
        )
    );
}

#[tokio::test]
async fn a_query_of_an_index_needs_the_index_in_the_policy() {
    for (resource, allowed) in
        [(TABLE.to_owned(), false), (format!("{TABLE}/index/by-state"), true)]
    {
        let (_db, client) = in_memory(&[("dynamodb:Query", &resource)]).await;
        let query = client.query().table_name("marketplace").index_name("by-state");
        let query =
            query.key_condition_expression("#s = :s").expression_attribute_names("#s", "state");
        let result = query.expression_attribute_values(":s", s("open")).send().await;
        assert_eq!(result.is_ok(), allowed, "{resource}");
    }
}

#[tokio::test]
async fn a_transaction_needs_the_actions_of_all_its_items() {
    let put = Put::builder()
        .table_name("marketplace")
        .item("pk", s("A"))
        .item("sk", s("x"))
        .build()
        .unwrap();
    let delete = Delete::builder()
        .table_name("marketplace")
        .key("pk", s("B"))
        .key("sk", s("x"))
        .build()
        .unwrap();
    for (policy, allowed) in [
        (vec![("dynamodb:PutItem", TABLE)], false),
        (vec![("dynamodb:TransactWriteItems", TABLE)], false),
        (vec![("dynamodb:PutItem", TABLE), ("dynamodb:DeleteItem", TABLE)], true),
    ] {
        let (_db, client) = in_memory(&policy).await;
        let items = [
            TransactWriteItem::builder().put(put.clone()),
            TransactWriteItem::builder().delete(delete.clone()),
        ];
        let items = items.into_iter().map(|i| i.build()).collect();
        let result = client.transact_write_items().set_transact_items(Some(items)).send().await;
        assert_eq!(
            result.map(drop).map_err(|e| code(&e)),
            if allowed { Ok(()) } else { Err("AccessDeniedException".into()) }
        );
    }
}

#[tokio::test]
async fn leading_keys_limit_a_function_to_its_partitions() {
    let mut project = project(&[("dynamodb:PutItem", TABLE)]);
    project.functions[0].policy[0].leading_keys = Some(vec!["FEED#*".into()]);
    let db = start(&project, Storage::Memory).await.unwrap();
    let client = testing::client(&db.endpoint_url, &access_key_id("orders-create"));
    put(&client, "FEED#1").await.unwrap();
    assert_eq!(put(&client, "USER#1").await, Err("AccessDeniedException".into()));
}

#[tokio::test]
async fn a_developers_key_can_do_everything() {
    let (db, _) = in_memory(&[]).await;
    let client = testing::client(&db.endpoint_url, DEVELOPER);
    put(&client, "A").await.unwrap();
    assert_eq!(client.scan().table_name("marketplace").send().await.unwrap().count(), 1);
}

#[tokio::test]
async fn the_proxys_own_responses_have_dynamodbs_headers() {
    let (_db, client) = in_memory(&[("dynamodb:PutItem", TABLE)]).await;
    let denied = client.scan().table_name("marketplace").send().await.unwrap_err();
    let failed =
        client.put_item().table_name("marketplace").item("pk", s("A")).send().await.unwrap_err();
    assert_eq!(code(&failed), "ValidationException");
    for response in [denied.raw_response().unwrap(), failed.raw_response().unwrap()] {
        let body_crc = crc32fast::hash(response.body().bytes().unwrap()).to_string();
        assert_eq!(response.headers().get("x-amz-crc32"), Some(body_crc.as_str()));
        assert!(response.headers().get("x-amzn-requestid").is_some());
    }
}

#[tokio::test]
async fn injected_errors_look_like_dynamodbs() {
    let (db, client) = in_memory(&[("dynamodb:*", TABLE)]).await;
    for (error, expected) in [
        ("TransactionConflict", "TransactionConflictException"),
        ("ProvisionedThroughputExceededException", "ProvisionedThroughputExceededException"),
        ("InternalServerError", "InternalServerError"),
    ] {
        let fault = json!({"function": "orders-create", "action": "PutItem", "error": error});
        assert_eq!(control(&db, "POST", "/_local/faults", fault).await.0, 201);
        assert_eq!(put(&client, "A").await, Err(expected.into()));
        put(&client, "A").await.unwrap();
    }
    assert_eq!(control(&db, "POST", "/_local/faults", json!({"error": "timeout"})).await.0, 400);
}

#[tokio::test]
async fn a_lost_response_is_executed_and_a_timeout_is_not() {
    let (db, client) = in_memory(&[("dynamodb:*", TABLE)]).await;
    control(
        &db,
        "POST",
        "/_local/faults",
        json!({"action": "PutItem", "table": "marketplace", "error": "lost_response"}),
    )
    .await;
    assert_eq!(put(&client, "lost").await, Err("dispatch failure".into()));

    control(&db, "POST", "/_local/faults", json!({"action": "PutItem", "error": "timeout"})).await;
    let result =
        tokio::time::timeout(std::time::Duration::from_millis(300), put(&client, "timeout")).await;
    assert!(result.is_err(), "the request was answered");

    let scanned = client.scan().table_name("marketplace").send().await.unwrap();
    assert_eq!(scanned.items().iter().map(|i| &i["pk"]).collect::<Vec<_>>(), [&s("lost")]);
}

#[tokio::test]
async fn calls_and_capacity_are_counted_per_function() {
    let (db, client) =
        in_memory(&[("dynamodb:PutItem", TABLE), ("dynamodb:BatchGetItem", TABLE)]).await;
    put(&client, "A").await.unwrap();
    let keys =
        KeysAndAttributes::builder().keys([("pk".into(), s("A")), ("sk".into(), s("x"))].into());
    client
        .batch_get_item()
        .request_items("marketplace", keys.build().unwrap())
        .send()
        .await
        .unwrap();
    client.scan().table_name("marketplace").send().await.unwrap_err();
    let (_, stats) = control(&db, "GET", "/_local/stats", json!({})).await;
    let counters = &stats["orders-create"];
    assert_eq!(
        counters["PutItem"],
        json!({"calls": 1, "denied": 0, "errors": 0, "capacity_units": 1.0})
    );
    assert_eq!(counters["BatchGetItem"]["capacity_units"], 0.5);
    assert_eq!(counters["Scan"]["denied"], 1);
}

#[tokio::test]
async fn a_write_notifies_the_streams_and_a_read_does_not() {
    let (db, client) = in_memory(&[("dynamodb:*", TABLE)]).await;
    let mut writes = db.writes.subscribe("marketplace").unwrap();
    client.scan().table_name("marketplace").send().await.unwrap();
    assert!(!writes.has_changed().unwrap());
    put(&client, "A").await.unwrap();
    assert!(writes.has_changed().unwrap());
    writes.mark_unchanged();
}

#[tokio::test]
async fn a_stream_has_an_open_shard_and_other_streams_and_shards_are_refused() {
    let (db, client) = in_memory(&[("dynamodb:*", TABLE)]).await;
    put(&client, "A").await.unwrap();
    let api = Upstream::new(db.endpoint_url.strip_prefix("http://").unwrap().parse().unwrap());
    let listed = api.call("ListStreams", &json!({"TableName": "marketplace"})).await.unwrap();
    let arn = listed["Streams"][0]["StreamArn"].as_str().unwrap();
    let described = api.call("DescribeStream", &json!({"StreamArn": arn})).await.unwrap();
    let stream = &described["StreamDescription"];
    assert_eq!(stream["KeySchema"][1], json!({"AttributeName": "sk", "KeyType": "RANGE"}));
    let shard = &stream["Shards"][0];
    assert!(shard["SequenceNumberRange"]["StartingSequenceNumber"].is_string());
    assert!(shard["SequenceNumberRange"]["EndingSequenceNumber"].is_null());

    let other_stream = format!("{}/stream/2000-01-01", arn.split_once("/stream/").unwrap().0);
    for (arn, shard) in [(arn, "other"), (&other_stream, shard["ShardId"].as_str().unwrap())] {
        let body = json!({"StreamArn": arn, "ShardId": shard, "ShardIteratorType": "LATEST"});
        let error = api.call("GetShardIterator", &body).await.unwrap_err();
        assert!(error.to_string().starts_with("ResourceNotFoundException: "), "{error}");
    }
}

#[tokio::test]
async fn data_on_disk_survives_a_restart() {
    let dir = TempDir::new();
    let project = project(&[("dynamodb:*", TABLE)]);
    for count in 1..=2 {
        let db = start(&project, Storage::Directory(dir.0.clone())).await.unwrap();
        let client = testing::client(&db.endpoint_url, DEVELOPER);
        put(&client, &format!("item {count}")).await.unwrap();
        assert_eq!(client.scan().table_name("marketplace").send().await.unwrap().count(), count);
    }
}

#[tokio::test]
async fn existing_tables_get_the_indexes_of_the_template() {
    let dir = TempDir::new();
    let storage = Storage::Directory(dir.0.clone());
    let without = {
        let mut project = project(&[]);
        let properties = project.tables[0].properties.as_object_mut().unwrap();
        properties.remove("GlobalSecondaryIndexes");
        properties["AttributeDefinitions"].as_array_mut().unwrap().pop();
        project
    };
    drop(start(&without, storage.clone()).await.unwrap());

    let db = start(&project(&[]), storage.clone()).await.unwrap();
    let indexes = async |db: &DynamoDb| {
        let client = testing::client(&db.endpoint_url, DEVELOPER);
        let table =
            client.describe_table().table_name("marketplace").send().await.unwrap().table.unwrap();
        table.global_secondary_indexes().len()
    };
    assert_eq!(indexes(&db).await, 1);
    drop(db);
    assert_eq!(indexes(&start(&without, storage).await.unwrap()).await, 0);
}

#[tokio::test]
async fn a_table_with_different_keys_is_rejected() {
    let dir = TempDir::new();
    let storage = Storage::Directory(dir.0.clone());
    drop(start(&project(&[]), storage.clone()).await.unwrap());
    let mut other = project(&[]);
    other.tables[0].properties["KeySchema"].as_array_mut().unwrap().pop();
    other.tables[0].properties["AttributeDefinitions"].as_array_mut().unwrap().remove(1);
    other.tables[0].properties["GlobalSecondaryIndexes"][0]["KeySchema"]
        .as_array_mut()
        .unwrap()
        .pop();
    let error = start(&other, storage).await.err().unwrap();
    assert_eq!(
        error.to_string(),
        "table marketplace in the database has different keys than in the template: remove the \
         data directory or start with --ephemeral"
    );
}

#[tokio::test]
async fn the_error_names_an_unsupported_property() {
    let mut project = project(&[]);
    project.tables[0].properties["KinesisStreamSpecification"] =
        json!({"StreamArn": "arn:aws:kinesis:::stream/x"});
    let error = start(&project, Storage::Memory).await.err().unwrap();
    assert!(error.to_string().contains("KinesisStreamSpecification"), "{error}");
}

#[tokio::test]
async fn an_external_endpoint_gets_the_tables_and_all_keys_see_the_same_data() {
    let other = start(&Project::default(), Storage::Memory).await.unwrap();
    let url: Uri = other.endpoint_url.parse().unwrap();
    let db = start(&project(&[("dynamodb:PutItem", TABLE)]), endpoint(url)).await.unwrap();
    put(&testing::client(&db.endpoint_url, &access_key_id("orders-create")), "A").await.unwrap();
    let seen = testing::client(&db.endpoint_url, DEVELOPER)
        .scan()
        .table_name("marketplace")
        .send()
        .await
        .unwrap();
    assert_eq!(seen.count(), 1);
    let denied = testing::client(&db.endpoint_url, &access_key_id("orders-create"))
        .scan()
        .table_name("marketplace");
    assert_eq!(code(&denied.send().await.unwrap_err()), "AccessDeniedException");
}

#[tokio::test]
async fn the_error_names_an_endpoint_that_does_not_answer() {
    let error =
        start(&project(&[]), endpoint("http://127.0.0.1:1".parse().unwrap())).await.err().unwrap();
    assert!(error.to_string().contains("http://127.0.0.1:1"), "{error}");
}

#[tokio::test]
async fn aws_is_called_directly() {
    let url: Uri = "https://dynamodb.eu-west-1.amazonaws.com".parse().unwrap();
    let db = start(&project(&[]), endpoint(url)).await.unwrap();
    assert_eq!(db.streams.url, "https://streams.dynamodb.eu-west-1.amazonaws.com");
    assert_eq!((db.streams.region.as_str(), db.is_aws), ("eu-west-1", true));
    assert!(start(&project(&[]), endpoint("https://example.com".parse().unwrap())).await.is_err());
}

#[tokio::test]
async fn a_sweep_deletes_expired_items() {
    let (db, client) = in_memory(&[("dynamodb:*", TABLE)]).await;
    let item = client.put_item().table_name("marketplace").item("pk", s("A")).item("sk", s("x"));
    item.item("expires_at", AttributeValue::N("1700000000".into())).send().await.unwrap();
    put(&client, "B").await.unwrap();
    db.sweep().await;
    assert_eq!(client.scan().table_name("marketplace").send().await.unwrap().count(), 1);
}
