//! Runs functions that are not HTTP endpoints: stream consumers, WebSocket routes, schedules and
//! direct invocations.

use std::process::ExitCode;
use std::time::SystemTime;

use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequest;
use aws_lambda_events::dynamodb::{Event, EventRecord};
use lambda_runtime::{LambdaEvent, service_fn};
use serde::Serialize;
use serde_json::{Value, json};
use shared::error::{Error, Result};
use tracing::Instrument;

use super::context::FromEnv;
use super::deadline::within;
use super::start;

/// Runs `handle` on each record of a DynamoDB stream, in order.
///
/// The first record that fails ends the batch. It is reported, and Lambda delivers it and all later
/// records again. A record can therefore arrive again after it was handled, and handling it twice
/// must have the effect of once.
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
                let at = sequence_number(&record);
                // Each record has its own time-out, so that the records before it still count.
                within(deadline, Box::pin(handle(context, record)))
                    .await
                    .map_err(|error| Failure { at, error })?;
            }
            Ok(())
        }
    })
}

/// Where a batch failed, and why.
#[derive(Debug)]
pub struct Failure {
    /// The [`sequence`] number of the first record that was not handled. Lambda delivers it and all
    /// later records again. `None`: the whole batch.
    pub at: Option<String>,
    /// The error.
    pub error: Error,
}

/// The record's sequence number, by which a failure is reported.
pub fn sequence_number(record: &EventRecord) -> Option<String> {
    record.change.sequence_number.clone()
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

/// Like [`batch`], and tells `handle` when Lambda will end the invocation.
fn batch_until<C, F, Fut>(handle: F) -> ExitCode
where
    C: FromEnv,
    F: Fn(&'static C, Vec<EventRecord>, SystemTime) -> Fut + Sync,
    Fut: Future<Output = std::result::Result<(), Failure>> + Send,
{
    start::run(async |context: &'static C| {
        lambda_runtime::run(service_fn(async |event: LambdaEvent<Event>| {
            let span = tracing::info_span!("stream", request_id = event.context.request_id);
            let handled =
                Box::pin(handle(context, event.payload.records, event.context.deadline()))
                    .instrument(span.clone())
                    .await;
            span.in_scope(|| report(handled))
        }))
        .await
    })
}

/// Reports a failure as `ReportBatchItemFailures` wants it: Lambda continues at the lowest sequence
/// number. Without a number, the whole batch failed.
fn report(
    handled: std::result::Result<(), Failure>,
) -> std::result::Result<Value, lambda_runtime::Error> {
    let Err(Failure { at, error }) = handled else { return Ok(json!({"batchItemFailures": []})) };
    log(&error, "record failed");
    match at {
        Some(sequence) => Ok(json!({"batchItemFailures": [{"itemIdentifier": sequence}]})),
        None => Err(error.into()),
    }
}

/// Runs `handle` as a route of the WebSocket API. An error becomes the status of its kind, with
/// which `$connect` refuses the handshake.
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
                let span = tracing::info_span!(
                    "socket",
                    request_id = event.context.request_id,
                    connection
                );
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

/// Runs `handle` on the JSON that the function is invoked with, and returns its reply or its error
/// as the invocation's.
pub fn direct<C, T, F, Fut>(handle: F) -> ExitCode
where
    C: FromEnv,
    T: Serialize,
    F: Fn(&'static C, Value) -> Fut + Sync,
    Fut: Future<Output = Result<T>> + Send,
{
    start::run(async |context: &'static C| {
        lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
            let span = tracing::info_span!("invocation", request_id = event.context.request_id);
            let done = Box::pin(handle(context, event.payload)).instrument(span).await;
            done.map_err(|error| {
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
