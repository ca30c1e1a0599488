//! Transactions, for the few places where two items must change together. A transaction costs twice
//! the capacity and about three times the latency of a single write.

use std::time::Duration;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    CancellationReason, ConditionCheck, Delete, Put, TransactWriteItem, Update,
};

use super::error::{sdk_error, unavailable};
use super::row::{Entity, number, to_item};
use super::table::Store;
use crate::error::{Error, Result};
use crate::retry::jitter;

/// How many times a transaction is tried when it keeps conflicting with others.
const ATTEMPTS: u32 = 8;

/// Builds a transaction.
#[derive(Debug, Default)]
pub(crate) struct Transaction {
    items: Vec<TransactWriteItem>,
}

/// The outcome of a transaction.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum CommitOutcome {
    /// Everything was written.
    Committed,
    /// Nothing was written. Holds the positions of the operations whose conditions failed.
    ConditionFailed(Vec<usize>),
}

impl Transaction {
    /// Adds the creation of an item, on condition that its key is free.
    pub(crate) fn create<T: Entity>(mut self, store: &Store, entity: &T) -> Result<Self> {
        let put = Put::builder()
            .table_name(&store.table)
            .set_item(Some(to_item(entity)?))
            .condition_expression("attribute_not_exists(pk)");
        self.items
            .push(TransactWriteItem::builder().put(put.build().map_err(Error::internal)?).build());
        Ok(self)
    }

    /// Adds the replacement of an item, on condition that it still has this version.
    pub(crate) fn replace<T: Entity>(
        mut self,
        store: &Store,
        entity: &T,
        version: u64,
    ) -> Result<Self> {
        let put = Put::builder()
            .table_name(&store.table)
            .set_item(Some(to_item(entity)?))
            .condition_expression("version = :version")
            .expression_attribute_values(":version", number(version));
        self.items
            .push(TransactWriteItem::builder().put(put.build().map_err(Error::internal)?).build());
        Ok(self)
    }

    /// Adds a deletion.
    pub(crate) fn delete(mut self, delete: Delete) -> Self {
        self.items.push(TransactWriteItem::builder().delete(delete).build());
        self
    }

    /// Adds a condition on an item that the transaction does not write.
    pub(crate) fn check(mut self, check: ConditionCheck) -> Self {
        self.items.push(TransactWriteItem::builder().condition_check(check).build());
        self
    }

    /// Adds an update.
    pub(crate) fn update(mut self, update: Update) -> Self {
        self.items.push(TransactWriteItem::builder().update(update).build());
        self
    }

    /// Commits. Conflicts with other transactions and throttles are retried with jittered back-off.
    /// A failed condition is not retried but returned.
    pub(crate) async fn commit(self, client: &aws_sdk_dynamodb::Client) -> Result<CommitOutcome> {
        for attempt in 0..ATTEMPTS {
            let sent = client
                .transact_write_items()
                .set_transact_items(Some(self.items.clone()))
                .send()
                .await;
            let error = match sent {
                Ok(_) => return Ok(CommitOutcome::Committed),
                Err(error) => error,
            };
            match classify(&error) {
                Failure::Condition(positions) => {
                    return Ok(CommitOutcome::ConditionFailed(positions));
                }
                Failure::Transient => tokio::time::sleep(backoff(attempt)?).await,
                Failure::Permanent => return Err(sdk_error(error)),
            }
        }
        Err(unavailable("a transaction conflicted too often"))
    }
}

/// Returns a random wait between 1 and 10 ms. The upper bound doubles with each attempt, up to 640
/// ms.
pub(super) fn backoff(attempt: u32) -> Result<Duration> {
    jitter(attempt, Duration::from_millis(10), Duration::from_millis(640))
}

/// Why a transaction failed.
enum Failure {
    /// The conditions at these positions failed.
    Condition(Vec<usize>),
    /// Another attempt may succeed.
    Transient,
    /// Another attempt will fail as well.
    Permanent,
}

fn classify<R>(error: &SdkError<TransactWriteItemsError, R>) -> Failure {
    match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(canceled)) => {
            classify_reasons(canceled.cancellation_reasons())
        }
        Some(TransactWriteItemsError::TransactionInProgressException(_)) => Failure::Transient,
        _ => Failure::Permanent,
    }
}

/// Says why a transaction failed, from the reasons of its operations. A failed condition takes
/// precedence over conflicts. Without one, the failure is transient only if every reason is.
fn classify_reasons(reasons: &[CancellationReason]) -> Failure {
    let positions_of = |name: &str| {
        reasons
            .iter()
            .enumerate()
            .filter(move |(_, r)| r.code() == Some(name))
            .map(|(at, _)| at)
            .collect::<Vec<_>>()
    };
    let failed = positions_of("ConditionalCheckFailed");
    if !failed.is_empty() {
        return Failure::Condition(failed);
    }
    let transient =
        ["None", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];
    match reasons.iter().all(|r| r.code().is_none_or(|c| transient.contains(&c))) {
        true => Failure::Transient,
        false => Failure::Permanent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(code: &str) -> CancellationReason {
        CancellationReason::builder().code(code).build()
    }

    #[test]
    fn only_transient_reasons_are_retried() {
        assert!(matches!(
            classify_reasons(&[reason("None"), reason("TransactionConflict")]),
            Failure::Transient
        ));
        assert!(matches!(
            classify_reasons(&[reason("ThrottlingError"), reason("None")]),
            Failure::Transient
        ));
        assert!(matches!(
            classify_reasons(&[reason("ValidationError"), reason("TransactionConflict")]),
            Failure::Permanent
        ));
        let Failure::Condition(positions) =
            classify_reasons(&[reason("TransactionConflict"), reason("ConditionalCheckFailed")])
        else {
            panic!("a failed condition must be returned");
        };
        assert_eq!(positions, [1]);
    }
}
