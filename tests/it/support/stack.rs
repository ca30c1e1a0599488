//! A stack that `.ci/ministack` has deployed. Its functions and tables are reached as an operator
//! reaches them: with the AWS CLI.

use std::process::Command;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use super::Response;
use super::cloud::Ready;

/// A deployed stack, as the file that `DEPLOYED_STACK` names describes it.
#[derive(Debug, Clone, Deserialize)]
pub struct Stack {
    /// Its name.
    pub name: String,
    /// Its addresses.
    pub ready: Ready,
    /// The flags of `cargo local` whose effect the stack's parameters have.
    pub flags: Vec<String>,
    /// Username and password of its first administrator.
    pub admin: (String, String),
}

impl Stack {
    /// The stack that the tests run against, or `None` when they run against local clouds.
    pub fn deployed() -> Option<Self> {
        let file = std::env::var_os("DEPLOYED_STACK")?;
        let text = std::fs::read_to_string(&file).expect("DEPLOYED_STACK names a file");
        Some(serde_json::from_str(&text).expect("DEPLOYED_STACK describes a stack"))
    }

    /// Calls DynamoDB.
    pub fn dynamodb(&self, operation: &str, body: &Value) -> Value {
        let output = aws(&["dynamodb", &kebab(operation), "--cli-input-json", &body.to_string()]);
        serde_json::from_str(&output).unwrap_or_default()
    }

    /// Invokes a function and returns what the Invoke API answers.
    pub fn invoke(&self, function: &str, event: &Value) -> Response {
        let payload = std::env::temp_dir().join(super::unique(function));
        let report = aws(&[
            "lambda",
            "invoke",
            "--function-name",
            &self.physical_id(&pascal(function)),
            "--cli-binary-format",
            "raw-in-base64-out",
            "--payload",
            &event.to_string(),
            payload.to_str().expect("a path of text"),
        ]);
        let report: Value = serde_json::from_str(&report).expect("the CLI prints JSON");
        let mut headers = HeaderMap::new();
        if let Some(error) = report["FunctionError"].as_str() {
            let name = HeaderName::from_static("x-amz-function-error");
            headers.insert(name, HeaderValue::from_str(error).expect("a header value"));
        }
        let body = std::fs::read_to_string(&payload).expect("the CLI writes the reply");
        std::fs::remove_file(&payload).expect("the file is ours");
        Response {
            status: StatusCode::OK,
            headers,
            body: serde_json::from_str(&body).expect("a reply in JSON"),
        }
    }

    /// The physical id of a resource of the template.
    pub fn physical_id(&self, logical_id: &str) -> String {
        let query = "StackResourceDetail.PhysicalResourceId";
        let id = aws(&[
            "cloudformation",
            "describe-stack-resource",
            "--stack-name",
            &self.name,
            "--logical-resource-id",
            logical_id,
            "--query",
            query,
            "--output",
            "text",
        ]);
        id.trim().to_owned()
    }
}

/// Runs the AWS CLI and returns its standard output.
fn aws(arguments: &[&str]) -> String {
    let output = Command::new("aws").args(arguments).output().expect("the AWS CLI is installed");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "aws {}: {error}", arguments.join(" "));
    String::from_utf8(output.stdout).expect("text")
}

/// `UpdateItem` as `update-item`.
fn kebab(operation: &str) -> String {
    let mut name = String::new();
    for c in operation.chars() {
        if c.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(c.to_ascii_lowercase());
    }
    name
}

/// `orders-timers` as `OrdersTimers`, its logical id.
fn pascal(function: &str) -> String {
    let upper = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
    function.split('-').map(upper).collect()
}
