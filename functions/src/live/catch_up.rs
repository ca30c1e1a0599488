//! `live-catch-up`: the stream function that gives sockets that were left behind what they lack.
//! Slow sockets are waited for here, and not where everyone's entries are pushed.

use aws_lambda_events::dynamodb::EventRecord;
use shared::live::catch_up::CatchUp;
use shared::live::push::Push;
use shared::store::fan_out::parse_catch_up_job;

use super::requests::for_each;
use crate::runtime::events::Failure;

/// Handles a batch: each socket that it names, once for each feed.
///
/// # Errors
/// Names the first record whose socket could not be caught up.
pub async fn handle(
    context: &CatchUp,
    records: Vec<EventRecord>,
) -> std::result::Result<(), Failure> {
    catch_up(context, records).await
}

/// As [`handle`], whatever the way to the sockets is.
pub(crate) async fn catch_up<P: Push>(
    context: &CatchUp<P>,
    records: Vec<EventRecord>,
) -> std::result::Result<(), Failure> {
    for_each(&records, parse_catch_up_job, |(connection, feed)| async move {
        context.catch_up(&feed, &connection).await
    })
    .await
}
