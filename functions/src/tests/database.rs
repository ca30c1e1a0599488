//! A DynamoDB of each test's own: `dynoxide`, in memory, spoken to through the real SDK, with
//! something in between that makes it fail.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Intercept, Region};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use dynoxide::Database;

/// A client of a database of its own: an embedded one, or the DynamoDB Local that `DYNAMODB_URL`
/// names (`http://localhost:8010`), which keeps the tables of each access key apart.
pub(crate) fn database(between: impl Intercept + 'static) -> Client {
    let url = std::env::var("DYNAMODB_URL").unwrap_or_else(|_| embedded());
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("eu-west-1"))
        .endpoint_url(url)
        .credentials_provider(Credentials::new(access_key(), "secret", None, None, "test"))
        // As often as functions retry, without their waiting.
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(3)
                .with_initial_backoff(Duration::from_millis(1)),
        )
        .interceptor(between)
        .http_client(aws_smithy_http_client::Builder::new().build_http());
    Client::from_conf(config.build())
}

/// An access key that no other test has.
fn access_key() -> String {
    uuid::Uuid::now_v7().simple().to_string().to_uppercase()
}

/// Starts an embedded database and returns its URL. It has a thread and a runtime of its own,
/// because every operation blocks its thread.
fn embedded() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            dynoxide::server::serve_on(listener, Database::memory().unwrap()).await;
        });
    });
    format!("http://{address}")
}

/// A table as the template makes it, with so many of its indexes.
pub(crate) async fn create_table(client: &Client, name: &str, indexes: u8) {
    let key = |name: &str, kind| {
        KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap()
    };
    let text = |name: &str| {
        let attribute = AttributeDefinition::builder().attribute_name(name);
        attribute.attribute_type(ScalarAttributeType::S).build().unwrap()
    };
    let table = client.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
    let table = table.attribute_definitions(text("pk")).attribute_definitions(text("sk"));
    let mut table =
        table.key_schema(key("pk", KeyType::Hash)).key_schema(key("sk", KeyType::Range));
    for n in 1..=indexes {
        let (pk, sk) = (format!("gsi{n}pk"), format!("gsi{n}sk"));
        let index = GlobalSecondaryIndex::builder()
            .index_name(format!("gsi{n}"))
            .key_schema(key(&pk, KeyType::Hash))
            .key_schema(key(&sk, KeyType::Range))
            .projection(Projection::builder().projection_type(ProjectionType::All).build());
        table = table
            .attribute_definitions(text(&pk))
            .attribute_definitions(text(&sk))
            .global_secondary_indexes(index.build().unwrap());
    }
    table.send().await.unwrap();
}
