//! Decides when two answers count as equal, and removes what may differ.

use std::fmt;

use serde_json::Value;

use crate::calls::Call;
use crate::endpoint::Response;

/// An answer, without the parts that differ from run to run or that the local cloud need not copy.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The normalized body of a success.
    Success(Value),
    /// A refusal.
    Error {
        /// The HTTP status.
        status: u16,
        /// The error code without its namespace, such as `ValidationException`.
        code: String,
        /// For people. The wording isn't part of the API, so it isn't compared.
        message: String,
        /// What else the body has, such as the reasons of a canceled transaction.
        rest: Value,
    },
}

/// Members that name a moment, a resource or a position. Only their presence is compared.
const VOLATILE: [&str; 13] = [
    "ApproximateCreationDateTime",
    "CreationRequestDateTime",
    "EndingSequenceNumber",
    "LastEvaluatedStreamArn",
    "NextShardIterator",
    "SequenceNumber",
    "ShardId",
    "ShardIterator",
    "StartingSequenceNumber",
    "StreamArn",
    "StreamLabel",
    "awsRegion",
    "eventID",
];

/// Members that aren't compared.
const IGNORED: [&str; 20] = [
    // Of a table's description: statistics, settings without effect here, statuses that change by
    // themselves, and ARNs.
    "CreationDateTime",
    "DeletionProtectionEnabled",
    "IndexArn",
    "IndexSizeBytes",
    "IndexStatus",
    "ItemCount",
    "LastUpdateToPayPerRequestDateTime",
    "LatestStreamArn",
    "LatestStreamLabel",
    "OnDemandThroughput",
    "ProvisionedThroughput",
    "TableArn",
    "TableClassSummary",
    "TableId",
    "TableSizeBytes",
    "TableStatus",
    "TableThroughputModeSummary",
    "WarmThroughput",
    // The wording of the reasons of a canceled transaction.
    "Message",
    // dynoxide (the embedded database) counts the JSON text of a stream record, not the bytes that
    // DynamoDB counts.
    "SizeBytes",
];

impl Answer {
    /// Returns the parts of the answer to `call` that are compared.
    pub(crate) fn of(call: &Call, response: &Response) -> Self {
        let mut body = response.body.clone();
        if response.status == 200 {
            normalize(&mut body, call.is_unordered());
            return Self::Success(body);
        }
        let mut take = |name: &str| {
            let text = body.as_object_mut().and_then(|members| members.remove(name));
            text.and_then(|text| text.as_str().map(str::to_owned))
        };
        let code = take("__type").unwrap_or_default();
        let code = code.rsplit('#').next().unwrap_or_default().to_owned();
        let message = take("message").or_else(|| take("Message")).unwrap_or_default();
        normalize(&mut body, false);
        Self::Error { status: response.status, code, message, rest: body }
    }

    /// Returns whether both answers are the same for a program, which does not read messages.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Success(body), Self::Success(other_body)) => body == other_body,
            (
                Self::Error { status, code, rest, .. },
                Self::Error { status: other_status, code: other_code, rest: other_rest, .. },
            ) => (status, code, rest) == (other_status, other_code, other_rest),
            _ => false,
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Success(body) => write!(f, "200 {body}"),
            Self::Error { status, code, message, rest } => {
                write!(f, "{status} {code} {rest} {message}")
            }
        }
    }
}

/// Replaces volatile values, removes ignored members, and sorts what has no order: sets, and all
/// lists if `unordered`.
fn normalize(value: &mut Value, unordered: bool) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| !IGNORED.contains(&name.as_str()));
            for (name, member) in members {
                match name.as_str() {
                    name if VOLATILE.contains(&name) => *member = "...".into(),
                    "SS" | "NS" | "BS" => sort(member),
                    _ => normalize(member, unordered),
                }
            }
        }
        Value::Array(items) => {
            items.iter_mut().for_each(|item| normalize(item, unordered));
            if unordered {
                sort(value);
            }
        }
        _ => {}
    }
}

fn sort(value: &mut Value) {
    if let Some(items) = value.as_array_mut() {
        items.sort_by_key(Value::to_string);
    }
}
