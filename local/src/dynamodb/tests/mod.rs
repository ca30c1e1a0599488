//! The front and the embedded database, through the AWS SDK.

mod front;
mod storage;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::{AttributeValue, Delete, KeysAndAttributes, Put, TransactWriteItem};
use serde_json::{Value, json};

use super::*;
use crate::iam::access_key_id;
use crate::model::Statement;
use crate::testing::{self, TempDir};

const TABLE: &str = "arn:aws:dynamodb:us-east-1:000000000000:table/marketplace";

/// A developer's key.
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

/// The error's code, or what kind of failure it was.
fn code<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> String {
    match error {
        SdkError::ServiceError(e) => e.err().code().unwrap_or("?").to_owned(),
        SdkError::DispatchFailure(_) => "dispatch failure".into(),
        SdkError::TimeoutError(_) => "timeout".into(),
        _ => "other".into(),
    }
}

async fn local(db: &DynamoDb, method: &str, path: &str, body: Value) -> (u16, Value) {
    let upstream = Upstream::new(db.endpoint_url.strip_prefix("http://").unwrap().parse().unwrap());
    let body = http_body_util::Full::from(body.to_string());
    let answer = upstream.forward(http::Request::builder().method(method).uri(path).body(body).unwrap()).await.unwrap();
    (answer.status().as_u16(), serde_json::from_slice(answer.body()).unwrap())
}
