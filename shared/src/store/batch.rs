//! Writes without a condition, many in one request.

use aws_sdk_dynamodb::types::WriteRequest;

use super::Store;
use super::error::{failed, unavailable};
use super::transaction::backoff;
use crate::error::Result;

/// Writes that one request may hold.
const BATCH: usize = 25;
/// How often what a batch left undone is sent again.
const ATTEMPTS: u32 = 8;

impl Store {
    /// Puts and deletes, each by itself, all of them done in the end.
    pub(super) async fn write_all(&self, writes: Vec<WriteRequest>) -> Result<()> {
        let name = &self.table;
        for batch in writes.chunks(BATCH) {
            let mut left = batch.to_vec();
            for attempt in 0..ATTEMPTS {
                let sent =
                    self.client.batch_write_item().request_items(name, std::mem::take(&mut left));
                let out = sent.send().await.map_err(failed)?;
                left = out
                    .unprocessed_items
                    .and_then(|mut items| items.remove(name))
                    .unwrap_or_default();
                if left.is_empty() {
                    break;
                }
                tokio::time::sleep(backoff(attempt)?).await;
            }
            if !left.is_empty() {
                return Err(unavailable("unprocessed writes"));
            }
        }
        Ok(())
    }
}
