//! Sends many unconditional writes in one request.

use aws_sdk_dynamodb::types::{DeleteRequest, PutRequest, WriteRequest};

use super::error::{sdk_error, unavailable};
use super::row::{Entity, Key, to_item};
use super::table::Store;
use super::transaction::backoff;
use crate::error::{Error, Result};

/// The most writes that DynamoDB takes in one request.
const BATCH: usize = 25;
/// How many times a batch is sent. DynamoDB may leave some of its writes unprocessed; each further
/// attempt sends only those.
const ATTEMPTS: u32 = 8;

impl Store {
    /// Carries out all of these writes. This is not a transaction: if it fails, some of them may
    /// have been carried out.
    pub(super) async fn batch_write(&self, writes: Vec<WriteRequest>) -> Result<()> {
        let name = &self.table;
        for batch in writes.chunks(BATCH) {
            let mut left = batch.to_vec();
            for attempt in 0..ATTEMPTS {
                let sent =
                    self.client.batch_write_item().request_items(name, std::mem::take(&mut left));
                let out = sent.send().await.map_err(sdk_error)?;
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
                return Err(unavailable("DynamoDB kept leaving writes of a batch unprocessed"));
            }
        }
        Ok(())
    }
}

/// Creates the request that puts this entity.
pub(super) fn put_request<T: Entity>(entity: &T) -> Result<WriteRequest> {
    let put =
        PutRequest::builder().set_item(Some(to_item(entity)?)).build().map_err(Error::internal)?;
    Ok(WriteRequest::builder().put_request(put).build())
}

/// Creates the request that deletes the item with this key.
pub(super) fn delete_request(key: Key) -> Result<WriteRequest> {
    let delete =
        DeleteRequest::builder().set_key(Some(key.into_item())).build().map_err(Error::internal)?;
    Ok(WriteRequest::builder().delete_request(delete).build())
}
