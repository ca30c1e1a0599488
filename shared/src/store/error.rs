//! Turns failures of DynamoDB into our errors: unavailable (try again) or internal (a bug).

use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use std::collections::HashMap;

use crate::error::{Error, catalogue};
use crate::metrics::DATABASE;

/// Error codes after which the same request may succeed.
const TRANSIENT: &[&str] = &[
    "InternalServerError",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingException",
    "TransactionConflictException",
    "TransactionInProgressException",
];

/// Those of [`TRANSIENT`] with which DynamoDB throttles.
const THROTTLES: &[&str] =
    &["ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingException"];

/// Creates a `database_unavailable` error (503). Only the log shows `source`.
pub(super) fn unavailable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(
        &catalogue::DATABASE_UNAVAILABLE,
        "The database is busy. Nothing was lost; try again.",
    )
    .retry_after(1)
    .with_source(source)
}

/// Converts the error of a call that still failed after the SDK's retries.
pub(super) fn sdk_error<E, R>(error: SdkError<E, R>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    let transient = match &error {
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => {
            true
        }
        SdkError::ServiceError(e) => e.err().code().is_some_and(|c| TRANSIENT.contains(&c)),
        _ => false,
    };
    if transient {
        let is_throttle = error.code().is_some_and(|code| THROTTLES.contains(&code));
        DATABASE.add(if is_throttle { "throttled" } else { "unavailable" }, 1);
    }
    let source = DisplayErrorContext(&error).to_string();
    if transient { unavailable(source) } else { Error::internal(source) }
}

/// Whether DynamoDB refused a write because its condition didn't hold.
pub(super) fn is_condition_failed<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    error.code() == Some("ConditionalCheckFailedException")
}

/// Returns the stored item that made a put's condition fail, or `None` if no item has that key.
pub(super) fn old_item<R>(
    error: SdkError<PutItemError, R>,
) -> Option<HashMap<String, AttributeValue>>
where
    R: std::fmt::Debug + Send + Sync + 'static,
{
    match error.into_service_error() {
        PutItemError::ConditionalCheckFailedException(e) => e.item,
        _ => None,
    }
}
