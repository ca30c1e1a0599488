//! `live-fan-out`: the stream function that pushes what feeds with many sockets are due, shard by
//! shard. How far a shard has come is read from the table.

use aws_lambda_events::dynamodb::EventRecord;
use shared::live::fan_out::FanOut;
use shared::store::fan_out::parse_shard_job;

use super::requests::for_each;
use crate::runtime::events::Failure;

/// Handles a batch: each shard that it names, once.
///
/// # Errors
/// Names the first record whose shard could not be brought to what it is due.
pub async fn handle(
    context: &FanOut,
    records: Vec<EventRecord>,
) -> std::result::Result<(), Failure> {
    for_each(&records, parse_shard_job, |(feed, shard)| async move {
        context.drain_shard(&feed, shard).await
    })
    .await
}
