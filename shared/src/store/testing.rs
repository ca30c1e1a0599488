//! A DynamoDB of each test's own: `dynoxide`, in memory, spoken to through the real SDK.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use dynoxide::Database;

use super::connection::Connections;
use super::fan_out::{FanOutTable, LaggingSocket};
use super::keys;
use super::row::{Entity, to_item};
use super::table::Store;
use crate::domain::feed::Feed;

impl Store {
    /// Stores an item unconditionally.
    pub(crate) async fn put_for_test<T: Entity>(&self, entity: &T) {
        let put =
            self.client.put_item().table_name(&self.table).set_item(Some(to_item(entity).unwrap()));
        put.send().await.unwrap();
    }

    /// Deletes an entry, as TTL would.
    pub(crate) async fn delete_entry_for_test(&self, feed: &Feed, seq: u64) {
        let key = keys::feed_entry(feed, seq).into_item();
        self.client.delete_item().table_name(&self.table).set_key(Some(key)).send().await.unwrap();
    }
}

impl FanOutTable {
    /// Reads the request to catch up a lagging socket.
    pub(crate) async fn lagging_socket_for_test(
        &self,
        feed: &Feed,
        connection: &str,
    ) -> Option<LaggingSocket> {
        self.table.get(keys::lagging_socket(connection, feed)).await.unwrap()
    }

    /// The fan-out table in the same database as this store.
    pub(crate) fn beside(store: &Store) -> Self {
        Self::new(store.client.clone(), "fan-out")
    }
}

/// The tables, without their indexes.
pub(crate) async fn tables() -> (Store, Connections) {
    let client = serve();
    for name in ["marketplace", "connections", "fan-out"] {
        let key = |name: &str, kind| {
            KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap()
        };
        let text = |name: &str| {
            let attribute = AttributeDefinition::builder().attribute_name(name);
            attribute.attribute_type(ScalarAttributeType::S).build().unwrap()
        };
        let table = client.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
        let table = table.attribute_definitions(text("pk")).attribute_definitions(text("sk"));
        let table =
            table.key_schema(key("pk", KeyType::Hash)).key_schema(key("sk", KeyType::Range));
        table.send().await.unwrap();
    }
    (Store::new(client.clone(), "marketplace"), Connections::new(client, "connections"))
}

/// A client of a database of its own: an embedded one, or the DynamoDB Local that `DYNAMODB_URL`
/// names (`http://localhost:8010`), which keeps the tables of each access key apart.
fn serve() -> Client {
    let url = std::env::var("DYNAMODB_URL").unwrap_or_else(|_| embedded());
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("eu-west-1"))
        .endpoint_url(url)
        .credentials_provider(Credentials::new(access_key(), "secret", None, None, "test"))
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
