//! Runs functions that are not HTTP endpoints: stream consumers, WebSocket routes, schedules and
//! direct invocations.

use std::process::ExitCode;
use std::time::{Instant, SystemTime};

use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequest;
use aws_lambda_events::dynamodb::{Event, EventRecord};
use lambda_runtime::{LambdaEvent, service_fn};
use serde::Serialize;
use serde_json::{Value, json};
use shared::error::{Error, Result};
use tracing::{Instrument, Span, field};

use super::context::FromEnv;
use super::deadline::within;
use super::start::{self, milliseconds_since};

/// Runs `handle` on each record of a DynamoDB stream, in order.
///
/// The first record that fails ends the batch. It is reported, and Lambda delivers it and all later
/// records again. A record can therefore arrive again after it was handled, so handling it twice
/// must have the same effect as handling it once.
pub fn stream<C, F, Fut>(handle: F) -> ExitCode
where
    C: FromEnv,
    F: Fn(&'static C, EventRecord) -> Fut + Sync,
    Fut: Future<Output = Result<()>> + Send,
{
    batch_until(|context, records: Vec<EventRecord>, deadline| {
        let handle = &handle;
        async move {
            for record in records {
                let reference = RecordRef::of(&record);
                // Each record has its own time-out, so that the records before it still count.
                within(deadline, Box::pin(handle(context, record)))
                    .instrument(reference.span.clone())
                    .await
                    .map_err(|error| Failure { record: reference, error })?;
            }
            Ok(())
        }
    })
}

/// How a record is referred to: by its sequence number towards Lambda, and in the log by a span.
#[derive(Debug, Clone)]
pub struct RecordRef {
    /// Orders the records of a shard. It is a number of any length.
    pub sequence_number: Option<String>,
    /// The span of its log lines. It has the `traceparent` of the request that wrote the item. The
    /// handler records the `order` that the record is about.
    pub span: Span,
}

impl RecordRef {
    /// The reference to this record.
    pub fn of(record: &EventRecord) -> Self {
        let traceparent = match record.change.new_image.get("traceparent") {
            Some(serde_dynamo::AttributeValue::S(traceparent)) => Some(traceparent.as_str()),
            _ => None,
        };
        Self {
            sequence_number: record.change.sequence_number.clone(),
            span: tracing::info_span!("record", traceparent, order = field::Empty),
        }
    }
}

/// Where a batch failed, and why.
#[derive(Debug)]
pub struct Failure {
    /// The first record that was not handled. Lambda delivers it and all later records again.
    pub record: RecordRef,
    /// The error.
    pub error: Error,
}

/// Runs `handle` on whole batches of a DynamoDB stream.
pub fn batch<C, F, Fut>(handle: F) -> ExitCode
where
    C: FromEnv,
    F: Fn(&'static C, Vec<EventRecord>) -> Fut + Sync,
    Fut: Future<Output = std::result::Result<(), Failure>> + Send,
{
    batch_until(|context, records, _| handle(context, records))
}

/// Like [`batch`], but also passes the time at which Lambda ends the invocation to `handle`.
fn batch_until<C, F, Fut>(handle: F) -> ExitCode
where
    C: FromEnv,
    F: Fn(&'static C, Vec<EventRecord>, SystemTime) -> Fut + Sync,
    Fut: Future<Output = std::result::Result<(), Failure>> + Send,
{
    start::run(async |context: &'static C| {
        lambda_runtime::run(service_fn(async |event: LambdaEvent<Event>| {
            let started = Instant::now();
            let records = event.payload.records;
            let count = records.len();
            let handled = Box::pin(handle(context, records, event.context.deadline())).await;
            let duration_ms = milliseconds_since(started);
            tracing::debug!(records = count, duration_ms, "handled a batch of {count}");
            report(handled)
        }))
        .await
    })
}

/// Reports a failure as `ReportBatchItemFailures` expects it: Lambda continues at the lowest sequence
/// number. Without a number, the whole batch has failed.
fn report(
    handled: std::result::Result<(), Failure>,
) -> std::result::Result<Value, lambda_runtime::Error> {
    let Err(Failure { record, error }) = handled else {
        return Ok(json!({"batchItemFailures": []}));
    };
    record.span.in_scope(|| log(&error, "record failed"));
    match record.sequence_number {
        Some(number) => Ok(json!({"batchItemFailures": [{"itemIdentifier": number}]})),
        None => Err(error.into()),
    }
}

/// Runs `handle` as a route of the WebSocket API. An error becomes the HTTP status of its kind. If
/// `$connect` returns such a status, API Gateway refuses the handshake with it.
pub fn socket<C, F, Fut>(handle: F) -> ExitCode
where
    C: FromEnv,
    F: Fn(&'static C, ApiGatewayWebsocketProxyRequest) -> Fut + Sync,
    Fut: Future<Output = Result<()>> + Send,
{
    start::run(async |context: &'static C| {
        lambda_runtime::run(service_fn(
            async |event: LambdaEvent<ApiGatewayWebsocketProxyRequest>| {
                let connection =
                    event.payload.request_context.connection_id.clone().unwrap_or_default();
                // The handler records the user as soon as it is known.
                let span = tracing::info_span!("socket", connection, user = field::Empty);
                let status = async {
                    Box::pin(handle(context, event.payload)).await.map_or_else(
                        |error| {
                            log(&error, "socket event failed");
                            error.code().kind.status()
                        },
                        |()| 200,
                    )
                };
                let status = status.instrument(span).await;
                Ok::<_, lambda_runtime::Error>(json!({"statusCode": status}))
            },
        ))
        .await
    })
}

/// Runs `handle` on the JSON that the function is invoked with, by a schedule or by an operator. The
/// handler's reply or error becomes the result of the invocation.
pub fn direct<C, T, F, Fut>(handle: F) -> ExitCode
where
    C: FromEnv,
    T: Serialize,
    F: Fn(&'static C, Value) -> Fut + Sync,
    Fut: Future<Output = Result<T>> + Send,
{
    start::run(async |context: &'static C| {
        lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
            let result = Box::pin(handle(context, event.payload)).await;
            result.map_err(|error| {
                log(&error, "invocation failed");
                lambda_runtime::Error::from(error)
            })
        }))
        .await
    })
}

fn log(error: &Error, what: &str) {
    let source = error.cause();
    match error.code().kind.status() {
        500.. => tracing::error!(code = error.code().code, source, "{what}: {}", error.code().code),
        _ => tracing::info!(code = error.code().code, source, "{what}: {}", error.code().code),
    }
}
