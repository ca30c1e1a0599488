//! What the fan-out table's stream asks for. A record is a key and no more: what is to be done is
//! read from the tables, so that a record may come twice, late, or after its successor.

use std::collections::BTreeMap;

use aws_lambda_events::dynamodb::EventRecord;
use futures::future::join_all;
use shared::error::{Error, Result};

use crate::runtime::events::{Failure, sequence};

/// Does each thing that a batch asks for once, all at the same time, whatever becomes of the
/// others.
///
/// # Errors
/// Names the first record that asks for something that could not be done.
pub(super) async fn each<T, Fut>(
    records: &[EventRecord],
    parse: impl Fn(&str, &str) -> Option<T>,
    handle: impl Fn(T) -> Fut,
) -> std::result::Result<(), Failure>
where
    T: Ord,
    Fut: Future<Output = Result<()>>,
{
    let mut things = BTreeMap::new();
    for record in records {
        let asked = keys(record).and_then(|(pk, sk)| parse(pk, sk));
        let error = || {
            Error::internal(
                "a record that asks for nothing: is the mapping's filter as it should be?",
            )
        };
        let asked = asked.ok_or_else(|| Failure { at: sequence(record), error: error() })?;
        things.entry(asked).or_insert_with(|| sequence(record));
    }
    let handled = things.into_iter().map(|(asked, at)| {
        let handled = handle(asked);
        async { handled.await.map_err(|error| Failure { at, error }) }
    });
    let handled = join_all(handled).await;
    // Sequence numbers are numbers of any length.
    let failures = handled.into_iter().filter_map(std::result::Result::err);
    failures
        .min_by_key(|failure| failure.at.as_ref().map(|at| (at.len(), at.clone())))
        .map_or(Ok(()), Err)
}

fn keys(record: &EventRecord) -> Option<(&str, &str)> {
    let key = |name: &str| match record.change.keys.get(name) {
        Some(serde_dynamo::AttributeValue::S(value)) => Some(value.as_str()),
        _ => None,
    };
    key("pk").zip(key("sk"))
}
