//! Notifies the streams of each write to a table, so that they don't have to wait for their next
//! poll.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::watch;

/// The write notifications of the watched tables. Clones share the same state.
#[derive(Debug, Clone, Default)]
pub struct TableWrites {
    tables: Arc<BTreeMap<String, watch::Sender<()>>>,
}

impl TableWrites {
    /// Returns notifications for the tables with these names.
    pub fn new<'a>(tables: impl Iterator<Item = &'a str>) -> Self {
        Self {
            tables: Arc::new(
                tables.map(|name| (name.to_owned(), watch::Sender::new(()))).collect(),
            ),
        }
    }

    /// Notifies the subscribers of `table`. Other names are ignored.
    pub fn notify(&self, table: &str) {
        if let Some(sender) = self.tables.get(table) {
            sender.send_replace(());
        }
    }

    /// Notifies the subscribers of all tables.
    pub fn notify_all(&self) {
        for sender in self.tables.values() {
            sender.send_replace(());
        }
    }

    /// Returns a receiver that changes whenever `table` is written, or `None` if the table isn't
    /// watched.
    pub fn subscribe(&self, table: &str) -> Option<watch::Receiver<()>> {
        self.tables.get(table).map(watch::Sender::subscribe)
    }
}
