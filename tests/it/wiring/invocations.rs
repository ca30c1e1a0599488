//! The invocations that called DynamoDB, as a local cloud lists them.

use serde::Deserialize;

use crate::support::{Client, Cloud};

/// An entry of the local cloud's `/_local/invocations`. Invocations without calls are not listed.
#[derive(Debug, Deserialize)]
pub struct Invocation {
    pub function: String,
    pub trace_id: String,
    pub calls: Vec<Call>,
}

/// One request to DynamoDB.
#[derive(Debug, Clone, Deserialize)]
pub struct Call {
    pub operation: String,
    pub denied: bool,
    pub error: bool,
    pub read_units: f64,
    pub write_units: f64,
}

/// Returns the latest invocations.
pub async fn invocations(cloud: &Cloud) -> Vec<Invocation> {
    let database = Client::new(&cloud.ready.dynamodb);
    let listed = database.get("/_local/invocations").await.expect_status(200);
    serde_json::from_value(listed).expect("a list of invocations")
}
