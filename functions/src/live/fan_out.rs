//! `live-fan-out`: the stream function that pushes entries to feeds with many sockets, shard by
//! shard. The table stores the progress of each shard.

use aws_lambda_events::dynamodb::EventRecord;
use shared::live::fan_out::FanOut;
use shared::store::fan_out::parse_shard_job;

use super::requests::for_each;
use crate::runtime::events::Failure;

/// Handles a batch: drains each shard that it names, once.
///
/// # Errors
/// Names the first record whose shard could not be drained.
pub async fn handle(
    context: &FanOut,
    records: Vec<EventRecord>,
) -> std::result::Result<(), Failure> {
    for_each(&records, parse_shard_job, |(feed, shard)| async move {
        context.drain_shard(&feed, shard).await
    })
    .await
}
