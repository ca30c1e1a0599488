//! The on-failure destination: a queue that receives a message for every discarded batch.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::{Value, json};

use super::event::Record;
use crate::log::Log;

/// Why a batch was discarded. The names are those in the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// `MaximumRetryAttempts` is exhausted.
    RetryAttemptsExhausted,
    /// The records are older than `MaximumRecordAgeInSeconds`, or than the stream's 24 hours.
    RecordAgeExceeded,
}

/// A discarded batch.
#[derive(Debug)]
pub struct Discarded<'a> {
    /// The ARN of the function.
    pub function_arn: &'a str,
    pub stream_arn: &'a str,
    pub shard_id: &'a str,
    pub condition: Condition,
    /// How many times the function was invoked with the batch.
    pub invocations: u32,
    /// `Unhandled` if the last invocation failed, or `None` if the function replied that records
    /// failed or was not invoked.
    pub function_error: Option<&'a str>,
    pub records: &'a [Record],
}

impl Discarded<'_> {
    /// Returns the message that Lambda sends. `request_id` is also in the local cloud's log.
    /// <https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html>
    pub fn message(&self, request_id: &str) -> Value {
        let condition = match self.condition {
            Condition::RetryAttemptsExhausted => "RetryAttemptsExhausted",
            Condition::RecordAgeExceeded => "RecordAgeExceeded",
        };
        let time = |record: Option<&Record>| {
            record.and_then(|r| jiff::Timestamp::from_second(r.created).ok()).map(|t| t.to_string())
        };
        let sequence = |record: Option<&Record>| record.map(|r| r.sequence_number.clone());
        let (first, last) = (self.records.first(), self.records.last());
        let mut message = json!({
            "requestContext": {
                "requestId": request_id,
                "functionArn": self.function_arn,
                "condition": condition,
                "approximateInvokeCount": self.invocations,
            },
            "version": "1.0",
            "timestamp": format!("{:.3}", jiff::Timestamp::now()),
            "DDBStreamBatchInfo": {
                "shardId": self.shard_id,
                "startSequenceNumber": sequence(first),
                "endSequenceNumber": sequence(last),
                "approximateArrivalOfFirstRecord": time(first),
                "approximateArrivalOfLastRecord": time(last),
                "batchSize": self.records.len(),
                "streamArn": self.stream_arn,
            },
        });
        if self.invocations > 0 {
            message["responseContext"] = json!({"statusCode": 200, "executedVersion": "$LATEST", "functionError": self.function_error});
        }
        message
    }
}

/// A queue. Its messages are lines of JSON in a file of the data directory. An ephemeral run has no
/// file, and writes them to the log.
#[derive(Debug, Clone)]
pub struct Queue {
    name: String,
    file: Option<PathBuf>,
}

impl Queue {
    /// Returns the queue `name`, stored in `directory`.
    pub fn new(directory: Option<&Path>, name: &str) -> Self {
        Self { name: name.to_owned(), file: directory.map(|d| d.join(format!("{name}.jsonl"))) }
    }

    /// Appends a message. If that fails, the message is written to the log instead.
    pub fn send(&self, message: &Value, log: &Log, request_id: &str) {
        match &self.file {
            None => log.line(&self.name, Some(request_id), &message.to_string()),
            Some(file) => match append(file, message) {
                Ok(()) => log.line(
                    &self.name,
                    Some(request_id),
                    &format!("a message was added to {}", file.display()),
                ),
                Err(error) => log.line(
                    &self.name,
                    Some(request_id),
                    &format!("{error:#}; the message: {message}"),
                ),
            },
        }
    }
}

fn append(file: &Path, message: &Value) -> anyhow::Result<()> {
    if let Some(directory) = file.parent() {
        std::fs::create_dir_all(directory)
            .with_context(|| format!("can't create {}", directory.display()))?;
    }
    let mut queue = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(file)
        .with_context(|| format!("can't write {}", file.display()))?;
    // A single write, so that lines of several mappings don't mix.
    queue
        .write_all(format!("{message}\n").as_bytes())
        .with_context(|| format!("can't write {}", file.display()))
}
