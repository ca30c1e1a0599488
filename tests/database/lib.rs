//! A DynamoDB for each test, used through the real SDK. It is either embedded in the test's process
//! (`dynoxide`, in memory) or the DynamoDB Local that `DYNAMODB_URL` names.
//!
//! Shared by the unit tests of `shared` and of `functions`. It depends on neither, so that they are
//! not built twice.

#![allow(clippy::unwrap_used, reason = "a test without a database fails")]

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Builder, Config, Credentials, Region};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use dynoxide::Database;

/// Returns the configuration of a client for a new, empty database. `DYNAMODB_URL`
/// (`http://localhost:8010`) selects a DynamoDB Local, which keeps the tables of each access key
/// apart. Without it, the database is embedded.
pub fn config() -> Builder {
    let url = std::env::var("DYNAMODB_URL").unwrap_or_else(|_| embedded());
    Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("eu-west-1"))
        .endpoint_url(url)
        .credentials_provider(Credentials::new(access_key(), "secret", None, None, "test"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
}

/// An access key that no other test has. DynamoDB Local accepts letters and digits only.
fn access_key() -> String {
    uuid::Uuid::now_v7().simple().to_string().to_uppercase()
}

/// Starts an embedded database and returns its URL. It has its own thread and runtime, because each
/// of its operations blocks the thread.
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

/// Creates a table with the key schema of the template's tables, and the first `indexes` of their
/// indexes.
pub async fn create_table(client: &Client, name: &str, indexes: u8) {
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
