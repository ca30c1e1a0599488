//! `live-fan-out`: the stream function that pushes what feeds with many sockets are due, shard by shard. A record says only that something is
//! due; how far the shard has come is read from the table, so that a record may come twice, late, or after its successor.

use std::collections::BTreeMap;

use aws_lambda_events::dynamodb::EventRecord;
use futures::future::join_all;
use shared::error::{Error, Result};
use shared::live::fan_out::FanOut;
use shared::store::fan_out::asked;

use crate::events::{Failure, sequence};

/// Handles a batch: each shard that it names, once.
///
/// # Errors
/// Names the first record whose shard could not be brought to what it is due.
pub async fn handle(context: &FanOut, records: Vec<EventRecord>) -> std::result::Result<(), Failure> {
    let mut shards = BTreeMap::new();
    for record in &records {
        let asked = asked_by(record).map_err(|error| Failure { at: sequence(record), error })?;
        shards.entry(asked).or_insert_with(|| sequence(record));
    }
    let brought = shards
        .into_iter()
        .map(async |((feed, shard), at)| context.bring(&feed, shard).await.map_err(|error| Failure { at, error }));
    let failures = join_all(brought).await.into_iter().filter_map(std::result::Result::err);
    // Sequence numbers are numbers of any length.
    failures.min_by_key(|failure| failure.at.as_ref().map(|at| (at.len(), at.clone()))).map_or(Ok(()), Err)
}

fn asked_by(record: &EventRecord) -> Result<(shared::domain::feed::Feed, u8)> {
    let key = |name: &str| match record.change.keys.get(name) {
        Some(serde_dynamo::AttributeValue::S(value)) => Some(value.as_str()),
        _ => None,
    };
    let asked = key("pk").zip(key("sk")).and_then(|(pk, sk)| asked(pk, sk));
    asked.ok_or_else(|| Error::internal("a record that asks for nothing: is the mapping's filter as it should be?"))
}
