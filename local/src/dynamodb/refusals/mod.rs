//! Refuses requests that DynamoDB refuses and the embedded database accepts. The messages are those
//! of DynamoDB Local: `local/tests/dynamodb` compares it with the local cloud.

mod empty_key;
mod expressions;
mod indexes;
mod limits;
mod streams;

use serde_json::Value;

use super::request::Schema;
use super::upstream::Upstream;

/// An error of the DynamoDB API.
#[derive(Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The error code with its namespace.
    pub kind: &'static str,
    /// The message.
    pub message: String,
}

impl Refusal {
    fn not_found(message: String) -> Self {
        Self { kind: "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException", message }
    }
}

/// Returns DynamoDB's refusal of a request, or `None` if the database may answer it.
pub async fn refusal(
    schema: &Schema,
    upstream: &Upstream,
    operation: &str,
    body: &Value,
) -> Option<Refusal> {
    let message = limits::message(operation, body)
        .or_else(|| expressions::message(operation, body))
        .or_else(|| empty_key::message(schema, operation, body))
        .or_else(|| indexes::message(schema, operation, body));
    match message {
        Some(message) => {
            Some(Refusal { kind: "com.amazon.coral.validate#ValidationException", message })
        }
        None => streams::refusal(upstream, operation, body).await,
    }
}
