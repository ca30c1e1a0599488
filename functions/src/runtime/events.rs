//! Runs functions that are not HTTP endpoints: stream consumers, WebSocket routes, schedules and
//! direct invocations.

use std::process::ExitCode;
use std::time::SystemTime;

use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequest;
use aws_lambda_events::dynamodb::{Event, EventRecord};
use lambda_runtime::{LambdaEvent, service_fn};
use serde::Serialize;
use serde_json::{Value, json};
use shared::error::{Error, Result, catalogue};
use shared::metrics;
use tracing::Instrument;

use super::context::FromEnv;
use super::deadline::within;
use super::start;

/// Runs `handle` on each record of a DynamoDB stream, in order.
///
/// A record that fails does not keep the later ones from being handled. The first one that failed
/// is reported, and Lambda delivers it and all later records again. A record can therefore arrive
/// again after it was handled, and handling it twice must have the effect of once.
pub fn stream<C, F, Fut>(handle: F) -> ExitCode
where
    C: FromEnv,
    F: Fn(&'static C, EventRecord) -> Fut + Sync,
    Fut: Future<Output = Result<()>> + Send,
{
    batch_until(|context, records, deadline| {
        let handle = &handle;
        each_record(records, deadline, move |record| handle(context, record))
    })
}

/// Runs `handle` on each record, in order, until the deadline.
async fn each_record<Fut>(
    records: Vec<EventRecord>,
    deadline: SystemTime,
    handle: impl Fn(EventRecord) -> Fut,
) -> std::result::Result<(), Failure>
where
    Fut: Future<Output = Result<()>> + Send,
{
    let mut first_failure = None;
    for record in records {
        let at = sequence_number(&record);
        // Each record has its own time-out, so that the records before it still count.
        let Err(error) = within(deadline, Box::pin(handle(record))).await else { continue };
        let is_out_of_time = error.is(&catalogue::TIMED_OUT);
        match &first_failure {
            None => first_failure = Some(Failure { at, error }),
            Some(_) => log(&error, "another record failed"),
        }
        if is_out_of_time {
            break;
        }
    }
    first_failure.map_or(Ok(()), Err)
}

/// Where a batch failed, and why.
#[derive(Debug)]
pub struct Failure {
    /// The [`sequence_number`] of the first record that was not handled. Lambda delivers it and all
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
            let function = event.context.env_config.clone();
            let handled =
                Box::pin(handle(context, event.payload.records, event.context.deadline()))
                    .instrument(span.clone())
                    .await;
            count_failure(&function.function_name, &handled);
            metrics::print();
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
                if status >= 500 {
                    metrics::FAILURES.add(&event.context.env_config.function_name, 1);
                }
                metrics::print();
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
            let function = &event.context.env_config.function_name;
            count_failure(function, &done);
            if done.is_ok() {
                metrics::RUNS.add(function, 1);
            }
            metrics::print();
            done.map_err(|error| {
                log(&error, "invocation failed");
                lambda_runtime::Error::from(error)
            })
        }))
        .await
    })
}

fn count_failure<T, E>(function: &str, result: &std::result::Result<T, E>) {
    if result.is_err() {
        metrics::FAILURES.add(function, 1);
    }
}

fn log(error: &Error, what: &str) {
    let source = error.cause();
    match error.code().kind.status() {
        500.. => tracing::error!(code = error.code().code, source, "{what}: {}", error.code().code),
        _ => tracing::info!(code = error.code().code, source, "{what}: {}", error.code().code),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use super::*;

    /// Handles records with the sequence numbers 1 to 5. Those in `failing` fail. Returns the
    /// numbers that were handled, and the function's response.
    async fn handle(failing: &[&str], time: Duration) -> (String, Value) {
        let record = |number: usize| {
            let mut record = EventRecord::default();
            record.change.sequence_number = Some(number.to_string());
            record
        };
        let handled = Mutex::new(String::new());
        let handle = |record: EventRecord| {
            let number = sequence_number(&record).unwrap();
            let result = match failing.contains(&number.as_str()) {
                true => Err(Error::internal("broken for the test")),
                false => Ok(handled.lock().unwrap().push_str(&number)),
            };
            async move { result }
        };
        let records = (1..=5).map(record).collect();
        let result = each_record(records, SystemTime::now() + time, handle).await;
        (handled.into_inner().unwrap(), report(result).unwrap())
    }

    #[tokio::test]
    async fn the_first_failed_record_is_reported_after_all_others_were_handled() {
        let minute = Duration::from_secs(60);
        let (handled, response) = handle(&["2", "4"], minute).await;
        assert_eq!(handled, "135");
        assert_eq!(response, json!({"batchItemFailures": [{"itemIdentifier": "2"}]}));
        let (handled, response) = handle(&[], minute).await;
        assert_eq!((handled.as_str(), response), ("12345", json!({"batchItemFailures": []})));
    }

    #[test]
    fn without_a_sequence_number_the_whole_batch_fails() {
        let failure = Failure { at: None, error: Error::internal("broken for the test") };
        report(Err(failure)).unwrap_err();
    }
}
