//! The requests in the fan-out table's stream. A record has only a key. The handlers read from the
//! tables what there is to do, so a record may arrive twice, late, or after its successor.

use std::collections::BTreeMap;

use aws_lambda_events::dynamodb::EventRecord;
use futures::future::join_all;
use shared::error::{Error, Result};
use tracing::Instrument;

use crate::runtime::events::{Failure, RecordRef};

/// Handles each request of a batch once, all of them at the same time. If one fails, the others are
/// still handled.
///
/// # Errors
/// Names the first record whose request failed.
pub(super) async fn for_each<T, Fut>(
    records: &[EventRecord],
    parse: impl Fn(&str, &str) -> Option<T>,
    handle: impl Fn(T) -> Fut,
) -> std::result::Result<(), Failure>
where
    T: Ord,
    Fut: Future<Output = Result<()>>,
{
    let mut requests = BTreeMap::new();
    for record in records {
        let request = keys(record).and_then(|(pk, sk)| parse(pk, sk));
        let error = || {
            Error::internal(
                "a record without a request: does the event source mapping have its filter?",
            )
        };
        let request = request
            .ok_or_else(|| Failure { record: Box::new(RecordRef::of(record)), error: error() })?;
        requests.entry(request).or_insert_with(|| RecordRef::of(record));
    }
    let handled = requests.into_iter().map(|(request, record)| {
        let handled = handle(request).instrument(record.span.clone());
        async { handled.await.map_err(|error| Failure { record: Box::new(record), error }) }
    });
    let handled = join_all(handled).await;
    // Sequence numbers are decimal strings of different lengths, so the length is compared first.
    let failures = handled.into_iter().filter_map(std::result::Result::err);
    failures
        .min_by_key(|failure| {
            let number = failure.record.sequence_number.clone();
            number.map(|number| (number.len(), number))
        })
        .map_or(Ok(()), Err)
}

fn keys(record: &EventRecord) -> Option<(&str, &str)> {
    let key = |name: &str| match record.change.keys.get(name) {
        Some(serde_dynamo::AttributeValue::S(value)) => Some(value.as_str()),
        _ => None,
    };
    key("pk").zip(key("sk"))
}
