//! Answers, as they go out.

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::{HeaderName, HeaderValue};
use axum::response::Response;
use bytes::Bytes;
use serde_json::Value;

use crate::error::Error;

/// What is sent back.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: String,
    /// The request that the idempotency key was first used in, when this is its answer again.
    pub(super) original: Option<String>,
}

impl Answer {
    /// The answer that says `result`.
    pub(super) fn of(result: &Result<Value, Error>) -> Self {
        let (status, body) = match result {
            Ok(value) => (200, pretty(value)),
            Err(error) => (error.status, pretty(&error.to_json())),
        };
        Self { status, body, original: None }
    }
}

/// JSON as Stripe writes it: two spaces, and no newline at the end.
pub(crate) fn pretty(value: &Value) -> String {
    format!("{value:#}")
}

/// A body that breaks off before it begins: the client sees its connection die.
pub(super) fn reset() -> Response {
    let broken = futures::stream::once(async {
        Err::<Bytes, _>(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
    });
    Response::new(Body::from_stream(broken))
}

/// The HTTP response, with the headers that Stripe sets.
pub(super) fn respond(
    answer: Answer,
    request_id: &str,
    version: &str,
    key: Option<&str>,
) -> Response {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut set = |name: &'static str, value: &str| {
        // What came in a header may go out in one.
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    };
    set("content-type", "application/json");
    set("request-id", request_id);
    set("stripe-version", version);
    if let Some(key) = key {
        set("idempotency-key", key);
        set("original-request", answer.original.as_deref().unwrap_or(request_id));
    }
    if answer.original.is_some() {
        set("idempotent-replayed", "true");
    }
    if answer.status == 401 {
        set("www-authenticate", "Bearer realm=\"Stripe\"");
    }
    response
}
