//! `live-catch-up`: the stream function that replays missed entries to slow sockets. Waiting for
//! slow sockets happens here, so that pushes to everyone else are not delayed.

use aws_lambda_events::dynamodb::EventRecord;
use shared::live::catch_up::CatchUp;
use shared::live::push::Push;
use shared::store::fan_out::parse_catch_up_job;

use super::requests::for_each;
use crate::runtime::events::Failure;

/// Handles a batch: catches up each socket that it names, once per feed.
///
/// # Errors
/// Names the first record whose socket could not be caught up.
pub async fn handle(
    context: &CatchUp,
    records: Vec<EventRecord>,
) -> std::result::Result<(), Failure> {
    catch_up(context, records).await
}

/// Like [`handle`], with any client that posts to sockets.
pub(crate) async fn catch_up<P: Push>(
    context: &CatchUp<P>,
    records: Vec<EventRecord>,
) -> std::result::Result<(), Failure> {
    for_each(&records, parse_catch_up_job, |(connection, feed)| async move {
        context.catch_up(&feed, &connection).await
    })
    .await
}
