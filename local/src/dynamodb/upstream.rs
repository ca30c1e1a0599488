//! The DynamoDB behind the proxy: an HTTP client that forwards requests and makes a few of its own.

use anyhow::{Context, bail};
use bytes::Bytes;
use http::uri::{Authority, Scheme};
use http::{HeaderValue, Request, Response, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use uuid::Uuid;

use crate::iam;

/// The access key of all forwarded requests, unless the run has its own tables.
const SHARED_NAMESPACE: &str = "AKIALOCALCLOUD000000";
/// The region of all forwarded requests. DynamoDB Local separates tables by region too.
pub const REGION: &str = "us-east-1";

/// A DynamoDB that speaks plain HTTP and doesn't check signatures: the embedded one or DynamoDB
/// Local.
#[derive(Debug, Clone)]
pub struct Upstream {
    client: Client<HttpConnector, Full<Bytes>>,
    authority: Authority,
    namespace: String,
}

/// An error of the DynamoDB API.
#[derive(Debug)]
pub struct ApiError {
    /// The error code without its namespace, such as `ResourceNotFoundException`.
    pub code: String,
    message: String,
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for ApiError {}

impl Upstream {
    /// Returns the DynamoDB at `authority` (`127.0.0.1:8000`), with the tables that all runs share.
    pub fn new(authority: Authority) -> Self {
        Self::in_namespace(authority, SHARED_NAMESPACE.to_owned())
    }

    /// Returns the DynamoDB at `authority`, with tables that no other run sees. It uses a random
    /// access key, because DynamoDB Local separates tables by access key.
    pub fn with_own_tables(authority: Authority) -> Self {
        let random = Uuid::now_v7().simple().to_string().to_uppercase();
        Self::in_namespace(authority, format!("AKIA{}", &random[random.len() - 16..]))
    }

    /// Returns the access key of all forwarded requests.
    pub fn access_key_id(&self) -> &str {
        &self.namespace
    }

    fn in_namespace(authority: Authority, namespace: String) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Self { client, authority, namespace }
    }

    /// Forwards a request with only its destination and its credential changed. Reads the whole
    /// body of the response.
    ///
    /// # Errors
    /// When DynamoDB can't be reached or its response can't be read.
    pub async fn forward(&self, request: Request<Full<Bytes>>) -> anyhow::Result<Response<Bytes>> {
        let (mut parts, body) = request.into_parts();
        parts.uri = self.uri(parts.uri.path_and_query().map_or("/", |p| p.as_str()))?;
        parts.headers.insert(header::HOST, HeaderValue::from_str(self.authority.as_str())?);
        // The proxy may have changed the body. hyper sets the length again.
        parts.headers.remove(header::CONTENT_LENGTH);
        if let Some(value) = parts.headers.get_mut(header::AUTHORIZATION)
            && let Some(replaced) =
                value.to_str().ok().and_then(|value| in_namespace(value, &self.namespace))
        {
            *value = HeaderValue::from_str(&replaced)?;
        }
        let response =
            self.client.request(Request::from_parts(parts, body)).await.with_context(|| {
                format!("no response from DynamoDB at http://{}", self.authority)
            })?;
        let (parts, body) = response.into_parts();
        Ok(Response::from_parts(parts, body.collect().await?.to_bytes()))
    }

    /// Calls an operation, such as `CreateTable`, and returns the response body.
    ///
    /// # Errors
    /// Returns an [`ApiError`] if DynamoDB rejects the call, and another error if it can't be
    /// reached or doesn't respond as DynamoDB does.
    pub async fn call(&self, operation: &str, body: &Value) -> anyhow::Result<Value> {
        let request = Request::post("/")
            .header(header::CONTENT_TYPE, "application/x-amz-json-1.0")
            .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
            .header("x-amz-date", "20250101T000000Z")
            .header(
                header::AUTHORIZATION,
                format!(
                    "AWS4-HMAC-SHA256 Credential={}/20250101/{REGION}/dynamodb/aws4_request, \
                     SignedHeaders=host;x-amz-date;x-amz-target, Signature=unchecked",
                    self.namespace
                ),
            )
            .body(Full::from(serde_json::to_vec(body)?))?;
        let response = self.forward(request).await?;
        let answer: Value = serde_json::from_slice(response.body()).with_context(|| {
            format!("http://{} doesn't respond as DynamoDB does", self.authority)
        })?;
        if response.status().is_success() {
            return Ok(answer);
        }
        let text = |name: &str| answer.get(name).and_then(Value::as_str);
        let Some(code) = text("__type") else {
            bail!(
                "http://{} answered {operation} with status {}",
                self.authority,
                response.status()
            );
        };
        Err(ApiError {
            code: code.rsplit('#').next().unwrap_or(code).to_owned(),
            message: text("message").or_else(|| text("Message")).unwrap_or_default().to_owned(),
        }
        .into())
    }

    /// Returns its URL, `http://host:port`.
    pub fn url(&self) -> String {
        format!("http://{}", self.authority)
    }

    fn uri(&self, path_and_query: &str) -> anyhow::Result<Uri> {
        Ok(Uri::builder()
            .scheme(Scheme::HTTP)
            .authority(self.authority.clone())
            .path_and_query(path_and_query)
            .build()?)
    }
}

/// Returns the `Authorization` header with the caller's access key and region replaced by
/// `namespace` and [`REGION`].
fn in_namespace(authorization: &str, namespace: &str) -> Option<String> {
    let id = iam::credential(authorization)?;
    let (before, after) = authorization.split_once(&format!("Credential={id}/"))?;
    let mut scope = after.splitn(3, '/');
    let (date, _region, rest) = (scope.next()?, scope.next()?, scope.next()?);
    Some(format!("{before}Credential={namespace}/{date}/{REGION}/{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_run_with_own_tables_has_its_own_access_key() {
        let upstream = || Upstream::with_own_tables("127.0.0.1:1".parse().unwrap());
        let (one, other) = (upstream(), upstream());
        assert_ne!(one.access_key_id(), other.access_key_id());
        assert!(one.access_key_id().len() == 20 && one.access_key_id() != SHARED_NAMESPACE);
    }

    #[test]
    fn the_callers_access_key_and_region_are_replaced() {
        assert_eq!(
            in_namespace(
                "AWS4-HMAC-SHA256 Credential=AKIAX/20250607/eu-west-1/dynamodb/aws4_request, SignedHeaders=h",
                SHARED_NAMESPACE
            )
            .unwrap(),
            format!(
                "AWS4-HMAC-SHA256 Credential={SHARED_NAMESPACE}/20250607/{REGION}/dynamodb/aws4_request, SignedHeaders=h"
            )
        );
    }
}
