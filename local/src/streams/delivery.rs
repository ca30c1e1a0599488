//! Delivers one batch to the function until every record is processed or discarded.
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html>

use bytes::Bytes;
use serde_json::Value;
use uuid::Uuid;

use super::destination::{Condition, Discarded};
use super::event::Record;
use super::mapping::Mapping;
use crate::dynamodb::RETENTION;
use crate::invoke::FunctionError;

/// A batch, or a part of one.
struct Part {
    records: Vec<Record>,
    /// How many times exactly these records were retried.
    retries: u32,
    /// How many times the function was invoked with them.
    invocations: u32,
    /// How the last invocation ended.
    function_error: Option<&'static str>,
}

/// The outcome of one invocation.
enum Outcome {
    Processed,
    /// The function did not run, because it was throttled or unreachable.
    NotInvoked(String),
    Failed(String),
    /// The function reported that the record with this index and all later ones were not processed.
    FailedFrom(usize),
}

/// Delivers `records` in order. Calls `on_progress` with the sequence number up to which every
/// record is processed or discarded.
pub async fn deliver(
    mapping: &Mapping,
    shard_id: &str,
    records: Vec<Record>,
    on_progress: impl Fn(&str),
) {
    let mut parts = vec![Part::new(records)];
    let mut not_invoked = 0;
    while let Some(mut part) = parts.pop() {
        discard_expired(mapping, shard_id, &mut part, &on_progress);
        let Some(last) = part.records.last().map(|r| r.sequence_number.clone()) else { continue };
        let outcome = invoke(mapping, &mut part).await;
        if !matches!(outcome, Outcome::NotInvoked(_)) {
            not_invoked = 0;
        }
        let bisect = mapping.settings.bisect;
        match outcome {
            Outcome::Processed => on_progress(&last),
            Outcome::NotInvoked(reason) => {
                not_invoked += 1;
                let wait = mapping.pace.backoff(not_invoked);
                mapping.log_line(&format!(
                    "{} can't be invoked: {reason}; retrying in {wait:?}",
                    mapping.function
                ));
                tokio::time::sleep(wait).await;
                parts.push(part);
            }
            // "The batch is bisected at the returned sequence number, and Lambda retries only the
            // remaining records."
            Outcome::FailedFrom(index) if index > 0 => {
                let rest = part.records.split_off(index);
                if let Some(last_processed) = part.records.last() {
                    on_progress(&last_processed.sequence_number);
                }
                mapping.log_line(&format!("{index} records were processed, {} failed", rest.len()));
                let rest = Part { records: rest, ..part };
                if bisect {
                    parts.push(Part::new(rest.records));
                } else {
                    retry(mapping, shard_id, rest, &mut parts, &on_progress).await;
                }
            }
            // Splitting a batch does not count as a retry.
            Outcome::Failed(_) | Outcome::FailedFrom(_) if bisect && part.records.len() > 1 => {
                mapping.log_line(&format!(
                    "a batch of {} failed{}; it is split in two",
                    part.records.len(),
                    outcome.reason()
                ));
                let second = part.records.split_off(part.records.len() / 2);
                parts.push(Part::new(second));
                parts.push(Part::new(part.records));
            }
            Outcome::Failed(_) | Outcome::FailedFrom(_) => {
                mapping.log_line(&format!(
                    "a batch of {} failed{}",
                    part.records.len(),
                    outcome.reason()
                ));
                retry(mapping, shard_id, part, &mut parts, &on_progress).await;
            }
        }
    }
}

impl Part {
    fn new(records: Vec<Record>) -> Self {
        Self { records, retries: 0, invocations: 0, function_error: None }
    }
}

impl Outcome {
    fn reason(&self) -> String {
        match self {
            Self::Failed(reason) => format!(": {reason}"),
            _ => String::new(),
        }
    }
}

/// Discards the records at the front that are too old.
fn discard_expired(
    mapping: &Mapping,
    shard_id: &str,
    part: &mut Part,
    on_progress: &impl Fn(&str),
) {
    let max_age = mapping.settings.max_age.map_or(RETENTION, |age| age.min(RETENTION));
    let oldest =
        jiff::Timestamp::now().as_second() - i64::try_from(max_age.as_secs()).unwrap_or(i64::MAX);
    let expired = part.records.iter().take_while(|r| r.created < oldest).count();
    if expired > 0 {
        let rest = part.records.split_off(expired);
        discard(mapping, shard_id, part, Condition::RecordAgeExceeded, on_progress);
        part.records = rest;
    }
}

/// Waits and queues the part again, or discards it when no retry is left.
async fn retry(
    mapping: &Mapping,
    shard_id: &str,
    mut part: Part,
    parts: &mut Vec<Part>,
    on_progress: &impl Fn(&str),
) {
    if mapping.settings.max_retries.is_some_and(|max| part.retries >= max) {
        return discard(mapping, shard_id, &part, Condition::RetryAttemptsExhausted, on_progress);
    }
    part.retries += 1;
    tokio::time::sleep(mapping.pace.backoff(part.retries)).await;
    parts.push(part);
}

/// Discards a part: logs it, sends it to the on-failure destination if the mapping has one, and
/// reports it as done.
fn discard(
    mapping: &Mapping,
    shard_id: &str,
    part: &Part,
    condition: Condition,
    on_progress: &impl Fn(&str),
) {
    let (Some(first), Some(last)) = (part.records.first(), part.records.last()) else { return };
    let request_id = Uuid::now_v7().to_string();
    mapping.log.line(
        "streams",
        Some(&request_id),
        &format!(
            "WARNING {}: {} records discarded ({condition:?} after {} invocations), {} to {}",
            mapping.settings.name,
            part.records.len(),
            part.invocations,
            first.sequence_number,
            last.sequence_number
        ),
    );
    if let Some(queue) = &mapping.queue {
        let discarded = Discarded {
            function_arn: &mapping.function_arn,
            stream_arn: &mapping.event_source_arn,
            shard_id,
            condition,
            invocations: part.invocations,
            function_error: part.function_error,
            records: &part.records,
        };
        queue.send(&discarded.message(&request_id), &mapping.log, &request_id);
    }
    on_progress(&last.sequence_number);
}

async fn invoke(mapping: &Mapping, part: &mut Part) -> Outcome {
    let mut payload = br#"{"Records":["#.to_vec();
    for (i, record) in part.records.iter().enumerate() {
        if i > 0 {
            payload.push(b',');
        }
        payload.extend_from_slice(record.event.to_string().as_bytes());
    }
    payload.extend_from_slice(b"]}");
    let invocation = match mapping.invoke.invoke(&mapping.function, Bytes::from(payload)).await {
        Ok(invocation) => invocation,
        Err(error) => return Outcome::NotInvoked(error.to_string()),
    };
    part.invocations += 1;
    part.function_error = invocation.error.map(|_| "Unhandled");
    match invocation.error {
        Some(FunctionError::TimedOut) => Outcome::Failed("it timed out".into()),
        Some(FunctionError::Unhandled) => {
            let error: Value = serde_json::from_slice(&invocation.payload).unwrap_or_default();
            Outcome::Failed(
                error["errorMessage"].as_str().unwrap_or("it returned no error message").to_owned(),
            )
        }
        None if mapping.settings.report_batch_item_failures => {
            failed_records(&invocation.payload, &part.records)
        }
        None => Outcome::Processed,
    }
}

/// Reads the reply of a function that reports batch item failures. Delivery continues at the lowest
/// failed sequence number. A malformed reply, such as one with an identifier that is empty, null,
/// misnamed or not in the batch, fails the whole batch.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html>
fn failed_records(reply: &[u8], records: &[Record]) -> Outcome {
    if reply.is_empty() {
        return Outcome::Processed;
    }
    let malformed =
        |what: &str| Outcome::Failed(format!("its reply is not a batch response ({what})"));
    let reply: Value = match serde_json::from_slice(reply) {
        Ok(reply) => reply,
        Err(error) => return malformed(&error.to_string()),
    };
    let failed_records = match &reply {
        Value::Null => return Outcome::Processed,
        Value::Object(members) => match members.get("batchItemFailures") {
            None | Some(Value::Null) => return Outcome::Processed,
            Some(Value::Array(failed_records)) => failed_records,
            Some(_) => return malformed("batchItemFailures is not a list"),
        },
        _ => return malformed("it is not an object"),
    };
    let mut lowest: Option<usize> = None;
    for failure in failed_records {
        let Some(identifier) = failure.get("itemIdentifier").and_then(Value::as_str) else {
            return malformed("an itemIdentifier is missing");
        };
        let Some(index) = records.iter().position(|r| r.sequence_number == identifier) else {
            return malformed("an itemIdentifier does not match any record in the batch");
        };
        lowest = Some(lowest.map_or(index, |l| l.min(index)));
    }
    lowest.map_or(Outcome::Processed, Outcome::FailedFrom)
}
