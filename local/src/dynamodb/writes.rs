//! Tells the streams at once that a table was written, so that they need not poll.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::watch;

/// Which tables were written; clones share the same tables.
#[derive(Debug, Clone, Default)]
pub struct TableWrites {
    tables: Arc<BTreeMap<String, watch::Sender<()>>>,
}

impl TableWrites {
    /// Watches `tables`, by name.
    pub fn new<'a>(tables: impl Iterator<Item = &'a str>) -> Self {
        Self {
            tables: Arc::new(
                tables.map(|name| (name.to_owned(), watch::Sender::new(()))).collect(),
            ),
        }
    }

    /// `table` was written; names not watched are ignored.
    pub fn written(&self, table: &str) {
        if let Some(sender) = self.tables.get(table) {
            sender.send_replace(());
        }
    }

    /// Any table may have been written.
    pub fn all_written(&self) {
        for sender in self.tables.values() {
            sender.send_replace(());
        }
    }

    /// Changes whenever `table` is written; `None` when that table is not watched.
    pub fn subscribe(&self, table: &str) -> Option<watch::Receiver<()>> {
        self.tables.get(table).map(watch::Sender::subscribe)
    }
}
