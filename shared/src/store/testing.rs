//! Fixtures for tests that use a database.

use aws_sdk_dynamodb::Client;

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
    /// Reads the item that requests a catch-up of a lagging socket.
    pub(crate) async fn lagging_socket_for_test(
        &self,
        feed: &Feed,
        connection: &str,
    ) -> Option<LaggingSocket> {
        self.table.get(keys::lagging_socket(connection, feed)).await.unwrap()
    }

    /// Returns the fan-out table in the same database as this store.
    pub(crate) fn in_database_of(store: &Store) -> Self {
        Self::new(store.client.clone(), "fan-out")
    }
}

/// Creates a database with our tables, without their indexes.
pub(crate) async fn tables() -> (Store, Connections) {
    let client = Client::from_conf(test_database::config().build());
    for name in ["marketplace", "connections", "fan-out"] {
        test_database::create_table(&client, name, 0).await;
    }
    (Store::new(client.clone(), "marketplace"), Connections::new(client, "connections"))
}
