//! An HTTP client that knows the conventions of the API, but none of its endpoints.

use http::{HeaderMap, Method, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

type Http = hyper_util::client::legacy::Client<HttpConnector, Full<Bytes>>;

/// Sends requests to one base URL, with a fixed set of headers.
#[derive(Clone)]
pub struct Client {
    base: String,
    headers: Vec<(String, String)>,
    http: Http,
}

/// A response whose body has been read.
#[derive(Debug)]
pub struct Response {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Client {
    pub fn new(base: &str) -> Self {
        Self {
            base: base.trim_end_matches('/').to_owned(),
            headers: Vec::new(),
            http: connections(),
        }
    }

    /// Returns this client with new connections. A test that reuses another test's client needs
    /// them, because the old connections ended with the other test's runtime.
    pub fn reconnected(&self) -> Self {
        Self { http: connections(), ..self.clone() }
    }

    /// Returns a client that connects from this IP address. On Linux, all of 127.0.0.0/8 is this
    /// machine.
    pub fn from_ip_address(base: &str, address: [u8; 4]) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_local_address(Some(address.into()));
        let http =
            hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build(connector);
        Self { http, ..Self::new(base) }
    }

    /// Returns this client with one more header in every request.
    pub fn with_header(&self, name: &str, value: &str) -> Self {
        let mut next = self.clone();
        next.headers.push((name.to_owned(), value.to_owned()));
        next
    }

    /// Returns this client with a bearer token.
    pub fn bearer(&self, token: &str) -> Self {
        self.with_header("authorization", &format!("Bearer {token}"))
    }

    /// Percent-encodes a value for a query or a form.
    pub fn percent_encode(value: &str) -> String {
        value
            .bytes()
            .map(|b| {
                if b.is_ascii_alphanumeric() {
                    char::from(b).to_string()
                } else {
                    format!("%{b:02X}")
                }
            })
            .collect()
    }

    pub async fn head(&self, path: &str) -> Response {
        self.send(Method::HEAD, path, "", Bytes::new()).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Response {
        self.send(Method::PATCH, path, "application/json", body.to_string().into()).await
    }

    pub async fn delete(&self, path: &str) -> Response {
        self.send(Method::DELETE, path, "", Bytes::new()).await
    }

    pub async fn get(&self, path: &str) -> Response {
        self.send(Method::GET, path, "", Bytes::new()).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Response {
        self.send(Method::POST, path, "application/json", body.to_string().into()).await
    }

    pub async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        let pairs: Vec<_> = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", Self::percent_encode(value)))
            .collect();
        self.send(Method::POST, path, "application/x-www-form-urlencoded", pairs.join("&").into())
            .await
    }

    pub async fn send(
        &self,
        method: Method,
        path: &str,
        content_type: &str,
        body: Bytes,
    ) -> Response {
        let mut request =
            http::Request::builder().method(method).uri(format!("{}{path}", self.base));
        if !content_type.is_empty() {
            request = request.header("content-type", content_type);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(body)).expect("a request");
        let (parts, body) = self.http.request(request).await.expect("an answer").into_parts();
        let bytes = body.collect().await.expect("a whole answer").to_bytes();
        let body = match bytes.is_empty() {
            true => Value::Null,
            false => serde_json::from_slice(&bytes)
                .unwrap_or_else(|_| String::from_utf8_lossy(&bytes).into_owned().into()),
        };
        Response { status: parts.status, headers: parts.headers, body }
    }
}

fn connections() -> Http {
    hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build_http()
}

impl Response {
    /// Returns the body. Panics unless the response has this status.
    #[track_caller]
    pub fn expect_status(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{:#}", self.body);
        self.body
    }

    /// Returns the body of a 200, or `None` for a 503, so that the caller can try again. Panics on
    /// any other status.
    #[track_caller]
    pub fn ok_unless_unavailable(self) -> Option<Value> {
        if self.status == 503 { None } else { Some(self.expect_status(200)) }
    }

    /// Returns the problem document. Panics unless it has this status and code, and all members
    /// that RFC 9457 and our conventions require.
    #[track_caller]
    pub fn problem(self, status: u16, code: &str) -> Value {
        assert_eq!(
            (self.status.as_u16(), self.body["code"].as_str()),
            (status, Some(code)),
            "{:#}",
            self.body
        );
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(self.body["status"], status);
        for member in ["type", "title", "detail"] {
            assert!(
                self.body[member].as_str().is_some_and(|text| !text.is_empty()),
                "no {member}: {:#}",
                self.body
            );
        }
        assert_eq!(self.body["request_id"].as_str(), self.header("x-request-id"));
        self.body
    }

    /// Returns the fields that a 409 `name_taken` reports.
    #[track_caller]
    pub fn fields_taken(self) -> Vec<String> {
        let body = self.problem(409, "name_taken");
        let errors = body["errors"].as_array().expect("errors").iter();
        errors.map(|error| error["field"].as_str().expect("field").to_owned()).collect()
    }

    /// Returns the field and code of each error that a 422 `validation_failed` reports.
    #[track_caller]
    pub fn field_errors(self) -> Vec<(String, String)> {
        let body = self.problem(422, "validation_failed");
        let errors = body["errors"].as_array().expect("errors").iter();
        errors
            .map(|e| {
                (
                    e["field"].as_str().expect("field").to_owned(),
                    e["code"].as_str().expect("code").to_owned(),
                )
            })
            .collect()
    }

    /// Returns the value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|v| v.to_str().ok())
    }
}
