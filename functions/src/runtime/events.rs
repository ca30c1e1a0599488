//! Runs functions that are not HTTP endpoints: stream consumers, WebSocket routes, schedules and
//! direct invocations.

use std::process::ExitCode;
use std::time::{Instant, SystemTime};

use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequest;
use aws_lambda_events::dynamodb::{Event, EventRecord};
use lambda_runtime::{Context, LambdaEvent, service_fn};
use serde::Serialize;
use serde_json::{Value, json};
use shared::error::{Error, Result, catalogue};
use shared::metrics;
use tracing::{Instrument, Span, field};

use super::context::FromEnv;
use super::deadline::within;
use super::start::{self, milliseconds_since};

/// Runs `handle` on each record of a DynamoDB stream, in order.
///
/// A record that fails does not keep the later ones from being handled. The first one that failed
/// is reported, and Lambda delivers it and all later records again. A record can therefore arrive
/// again after it was handled, so handling it twice must have the same effect as handling it once.
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
        let reference = RecordRef::of(&record);
        // Each record has its own time-out, so that the records before it still count.
        let handled = within(deadline, Box::pin(handle(record)));
        let Err(error) = handled.instrument(reference.span.clone()).await else { continue };
        let is_out_of_time = error.is(&catalogue::TIMED_OUT);
        match &first_failure {
            None => first_failure = Some(Failure { record: Box::new(reference), error }),
            Some(_) => reference.span.in_scope(|| log(&error, "another record failed")),
        }
        if is_out_of_time {
            break;
        }
    }
    first_failure.map_or(Ok(()), Err)
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
    pub record: Box<RecordRef>,
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
            count_failure(&event.context, &handled);
            metrics::print();
            report(handled)
        }))
        .await
    })
}

/// Reports a failure as `ReportBatchItemFailures` expects it: Lambda continues at the lowest
/// sequence number. Without a number, the whole batch has failed.
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

/// Runs `handle` on the JSON that the function is invoked with, by a schedule or by an operator.
/// The handler's reply or error becomes the result of the invocation.
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
            count_failure(&event.context, &result);
            if result.is_ok() {
                metrics::RUNS.add(&event.context.env_config.function_name, 1);
            }
            metrics::print();
            result.map_err(|error| {
                log(&error, "invocation failed");
                lambda_runtime::Error::from(error)
            })
        }))
        .await
    })
}

fn count_failure<T, E>(context: &Context, result: &std::result::Result<T, E>) {
    if result.is_err() {
        metrics::FAILURES.add(&context.env_config.function_name, 1);
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
            let number = record.change.sequence_number.unwrap();
            let result = match failing.contains(&number.as_str()) {
                true => Err(Error::internal("broken for the test")),
                false => {
                    handled.lock().unwrap().push_str(&number);
                    Ok(())
                }
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
        let failure = Failure {
            record: Box::new(RecordRef::of(&EventRecord::default())),
            error: Error::internal("broken for the test"),
        };
        report(Err(failure)).unwrap_err();
    }
}
