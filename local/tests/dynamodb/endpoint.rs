//! Sends calls to a DynamoDB as raw JSON over HTTP.

use std::collections::HashMap;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use crate::calls::Call;

/// A DynamoDB, called with an access key that separates the tables of this run from others.
pub(crate) struct Endpoint {
    client: Client<HttpConnector, Full<Bytes>>,
    url: String,
    access_key_id: String,
}

/// The bodies of earlier answers, by the name of the call. Later calls may refer to them.
pub(crate) type Answers = HashMap<&'static str, Value>;

/// The response to a call.
pub(crate) struct Response {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The body. If it is not JSON, as in some errors, this is a string with its text.
    pub(crate) body: Value,
}

impl Endpoint {
    /// Returns the DynamoDB at `url`, for calls of one kind (`queries`). Its access key is new,
    /// because DynamoDB Local keeps separate tables for each access key.
    pub(crate) fn new(url: &str, kind: &str) -> Self {
        let random = uuid::Uuid::now_v7().simple().to_string();
        let kind: String = kind.chars().filter(char::is_ascii_alphanumeric).collect();
        Self {
            client: Client::builder(TokioExecutor::new()).build_http(),
            url: url.to_owned(),
            access_key_id: format!("{kind}{}", &random[random.len() - 12..]),
        }
    }

    /// Sends a call, with the values that it takes from `answers` filled in, and adds the answer.
    pub(crate) async fn send(&self, call: &Call, answers: &mut Answers) -> Response {
        let body = match &call.body {
            Value::String(raw) => raw.clone(),
            body => filled_in(body, answers).to_string(),
        };
        let response = self.post(call.operation, body).await;
        answers.insert(call.name, response.body.clone());
        response
    }

    /// Creates a table and waits until it is active.
    pub(crate) async fn create_table(&self, definition: &Value) {
        let mut definition = definition.clone();
        let ttl = definition.as_object_mut().unwrap().remove("TimeToLiveSpecification");
        let name = serde_json::json!({"TableName": definition["TableName"]});
        let created = self.post("CreateTable", definition.to_string()).await;
        assert_eq!(created.status, 200, "{}", created.body);
        for _ in 0..100 {
            let described = self.post("DescribeTable", name.to_string()).await.body;
            if described["Table"]["TableStatus"] == "ACTIVE" {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        if let Some(ttl) = ttl {
            let mut update = name;
            update["TimeToLiveSpecification"] = ttl;
            let updated = self.post("UpdateTimeToLive", update.to_string()).await;
            assert_eq!(updated.status, 200, "{}", updated.body);
        }
    }

    async fn post(&self, operation: &str, body: String) -> Response {
        let api = match operation {
            "ListStreams" | "DescribeStream" | "GetShardIterator" | "GetRecords" => {
                "DynamoDBStreams_20120810"
            }
            _ => "DynamoDB_20120810",
        };
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/20260101/us-east-1/dynamodb/aws4_request, \
             SignedHeaders=host;x-amz-date;x-amz-target, Signature=unchecked",
            self.access_key_id
        );
        let request = Request::post(&self.url)
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", format!("{api}.{operation}"))
            .header("x-amz-date", "20260101T000000Z")
            .header("authorization", authorization)
            .body(Full::from(body))
            .unwrap();
        let response = self.client.request(request).await.expect("an answer");
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.expect("a body").to_bytes();
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| String::from_utf8_lossy(&bytes).into_owned().into());
        Response { status, body }
    }
}

/// Returns `body` with every [`crate::calls::from`] replaced by the value it refers to.
fn filled_in(body: &Value, answers: &Answers) -> Value {
    match body {
        Value::Object(members) => match members.get("$from") {
            Some(from) => {
                let (call, pointer) = (from[0].as_str().unwrap(), from[1].as_str().unwrap());
                answers[call].pointer(pointer).cloned().unwrap_or_default()
            }
            None => members.iter().map(|(k, v)| (k.clone(), filled_in(v, answers))).collect(),
        },
        Value::Array(items) => items.iter().map(|item| filled_in(item, answers)).collect(),
        other => other.clone(),
    }
}
