//! Functions that no HTTP request starts: stream consumers, WebSocket routes, schedules and direct invocations.

use std::process::ExitCode;

use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequest;
use aws_lambda_events::dynamodb::{Event, EventRecord};
use lambda_runtime::{LambdaEvent, service_fn};
use serde::Serialize;
use serde_json::{Value, json};
use shared::error::{Error, Result};
use tracing::Instrument;

use crate::context::FromEnv;

/// Runs `handle` on each record of a DynamoDB stream, in order.
///
/// The first record that fails ends the batch: its sequence number is reported (`ReportBatchItemFailures`), and Lambda delivers it and all after
/// it again. So a record may come again after it was done, and every handler must make that a no-op.
pub fn stream<C, F, Fut>(handle: F) -> ExitCode
where
    C: FromEnv,
    F: Fn(&'static C, EventRecord) -> Fut + Sync,
    Fut: Future<Output = Result<()>> + Send,
{
    crate::runtime::run(async |context: &'static C| {
        lambda_runtime::run(service_fn(async |event: LambdaEvent<Event>| {
            let span = tracing::info_span!("stream", request_id = event.context.request_id);
            batch(&handle, context, event.payload).instrument(span).await
        }))
        .await
    })
}

async fn batch<C, F, Fut>(
    handle: &F,
    context: &'static C,
    event: Event,
) -> std::result::Result<Value, lambda_runtime::Error>
where
    F: Fn(&'static C, EventRecord) -> Fut,
    Fut: Future<Output = Result<()>>,
{
    for record in event.records {
        let sequence = record.change.sequence_number.clone();
        if let Err(error) = handle(context, record).await {
            log(&error, "record failed");
            // Without a sequence number nothing can be reported but the whole batch.
            return match sequence {
                Some(sequence) => Ok(json!({"batchItemFailures": [{"itemIdentifier": sequence}]})),
                None => Err(error.into()),
            };
        }
    }
    Ok(json!({"batchItemFailures": []}))
}

/// Runs `handle` as a route of the WebSocket API. An error becomes the status of its kind: what `$connect` refuses a handshake with.
pub fn socket<C, F, Fut>(handle: F) -> ExitCode
where
    C: FromEnv,
    F: Fn(&'static C, ApiGatewayWebsocketProxyRequest) -> Fut + Sync,
    Fut: Future<Output = Result<()>> + Send,
{
    crate::runtime::run(async |context: &'static C| {
        lambda_runtime::run(service_fn(async |event: LambdaEvent<ApiGatewayWebsocketProxyRequest>| {
            let connection = event.payload.request_context.connection_id.clone().unwrap_or_default();
            let span = tracing::info_span!("socket", request_id = event.context.request_id, connection);
            let status = async {
                handle(context, event.payload).await.map_or_else(
                    |error| {
                        log(&error, "socket event failed");
                        error.code().kind.status()
                    },
                    |()| 200,
                )
            };
            let status = status.instrument(span).await;
            Ok::<_, lambda_runtime::Error>(json!({"statusCode": status}))
        }))
        .await
    })
}

/// Runs `handle` on whatever JSON the function is invoked with; its reply, or its error, is the invocation's.
pub fn invoked<C, T, F, Fut>(handle: F) -> ExitCode
where
    C: FromEnv,
    T: Serialize,
    F: Fn(&'static C, Value) -> Fut + Sync,
    Fut: Future<Output = Result<T>> + Send,
{
    crate::runtime::run(async |context: &'static C| {
        lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
            let span = tracing::info_span!("invocation", request_id = event.context.request_id);
            let done = handle(context, event.payload).instrument(span).await;
            done.map_err(|error| {
                log(&error, "invocation failed");
                lambda_runtime::Error::from(error)
            })
        }))
        .await
    })
}

fn log(error: &Error, what: &str) {
    let source = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    match error.code().kind.status() {
        500.. => tracing::error!(code = error.code().code, source, "{what}: {}", error.code().code),
        _ => tracing::info!(code = error.code().code, source, "{what}: {}", error.code().code),
    }
}
