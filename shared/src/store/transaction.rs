//! Transactions: for the few places where two items must agree. They cost twice the capacity and
//! about three times the latency of one write.

use std::time::Duration;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, ConditionCheck, Delete, Put, TransactWriteItem, Update,
};

use super::Store;
use super::error::{failed, unavailable};
use super::row::{Entity, to_item};
use crate::error::{Error, Result};
use crate::retry::jitter;

/// How often a transaction that conflicts with another is tried.
const ATTEMPTS: u32 = 8;

/// A transaction in the making.
#[derive(Debug, Default)]
pub(crate) struct Transaction {
    items: Vec<TransactWriteItem>,
}

/// What became of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Committed {
    /// All of it was written.
    Yes,
    /// None of it: the conditions of these operations (their positions) did not hold.
    No(Vec<usize>),
}

impl Transaction {
    /// Writes an item that must not be there yet.
    pub(crate) fn create<T: Entity>(mut self, store: &Store, entity: &T) -> Result<Self> {
        let put = Put::builder()
            .table_name(&store.table)
            .set_item(Some(to_item(entity)?))
            .condition_expression("attribute_not_exists(pk)");
        self.items
            .push(TransactWriteItem::builder().put(put.build().map_err(Error::internal)?).build());
        Ok(self)
    }

    /// Replaces an item, if it is there with `version`.
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
            .expression_attribute_values(":version", n(version));
        self.items
            .push(TransactWriteItem::builder().put(put.build().map_err(Error::internal)?).build());
        Ok(self)
    }

    /// Any deletion, made by the caller.
    pub(crate) fn delete(mut self, delete: Delete) -> Self {
        self.items.push(TransactWriteItem::builder().delete(delete).build());
        self
    }

    /// Any condition on an item that is not written.
    pub(crate) fn check(mut self, check: ConditionCheck) -> Self {
        self.items.push(TransactWriteItem::builder().condition_check(check).build());
        self
    }

    /// Any update, made by the caller.
    pub(crate) fn update(mut self, update: Update) -> Self {
        self.items.push(TransactWriteItem::builder().update(update).build());
        self
    }

    /// Commits. Conflicts with other transactions and throttles are retried with jittered back-off;
    /// a failed condition is an answer.
    pub(crate) async fn commit(self, client: &aws_sdk_dynamodb::Client) -> Result<Committed> {
        for attempt in 0..ATTEMPTS {
            let sent = client
                .transact_write_items()
                .set_transact_items(Some(self.items.clone()))
                .send()
                .await;
            let error = match sent {
                Ok(_) => return Ok(Committed::Yes),
                Err(error) => error,
            };
            match verdict(&error) {
                Verdict::ConditionFailed(positions) => return Ok(Committed::No(positions)),
                Verdict::Retry => tokio::time::sleep(backoff(attempt)?).await,
                Verdict::Failed => return Err(failed(error)),
            }
        }
        Err(unavailable("a transaction conflicted too often"))
    }
}

/// Between 1 and 10 ms, doubled with each attempt, 640 ms at most.
pub(super) fn backoff(attempt: u32) -> Result<Duration> {
    jitter(attempt, Duration::from_millis(10), Duration::from_millis(640))
}

enum Verdict {
    ConditionFailed(Vec<usize>),
    Retry,
    Failed,
}

fn verdict<R>(error: &SdkError<TransactWriteItemsError, R>) -> Verdict {
    match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(canceled)) => {
            reasons(canceled.cancellation_reasons())
        }
        Some(TransactWriteItemsError::TransactionInProgressException(_)) => Verdict::Retry,
        _ => Verdict::Failed,
    }
}

/// Retried only when every reason is one that passes by itself; a failed condition beside a
/// conflict is still an answer.
fn reasons(reasons: &[CancellationReason]) -> Verdict {
    let named = |name: &str| {
        reasons
            .iter()
            .enumerate()
            .filter(move |(_, r)| r.code() == Some(name))
            .map(|(at, _)| at)
            .collect::<Vec<_>>()
    };
    let failed = named("ConditionalCheckFailed");
    if !failed.is_empty() {
        return Verdict::ConditionFailed(failed);
    }
    let passing =
        ["None", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];
    match reasons.iter().all(|r| r.code().is_none_or(|c| passing.contains(&c))) {
        true => Verdict::Retry,
        false => Verdict::Failed,
    }
}

/// A string attribute.
pub(crate) fn s(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// A number attribute.
pub(crate) fn n(value: impl std::fmt::Display) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(code: &str) -> CancellationReason {
        CancellationReason::builder().code(code).build()
    }

    #[test]
    fn only_reasons_that_pass_by_themselves_are_retried() {
        assert!(matches!(
            reasons(&[reason("None"), reason("TransactionConflict")]),
            Verdict::Retry
        ));
        assert!(matches!(reasons(&[reason("ThrottlingError"), reason("None")]), Verdict::Retry));
        assert!(matches!(
            reasons(&[reason("ValidationError"), reason("TransactionConflict")]),
            Verdict::Failed
        ));
        let Verdict::ConditionFailed(at) =
            reasons(&[reason("TransactionConflict"), reason("ConditionalCheckFailed")])
        else {
            panic!("a failed condition is an answer");
        };
        assert_eq!(at, [1]);
    }
}
