//! Responses of the API.

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::{HeaderName, HeaderValue};
use axum::response::Response;
use bytes::Bytes;
use serde_json::Value;

use crate::error::Error;
use crate::json::pretty;

/// A response before its headers are set.
pub(super) struct ApiResponse {
    pub(super) status: u16,
    pub(super) body: String,
    /// If an idempotency key replays the response, the id of the request that first got it.
    pub(super) original_request: Option<String>,
}

impl ApiResponse {
    /// Returns the response for the result of a call.
    pub(super) fn of(result: &Result<Value, Error>) -> Self {
        let (status, body) = match result {
            Ok(value) => (200, pretty(value)),
            Err(error) => (error.status, pretty(&error.to_json())),
        };
        Self { status, body, original_request: None }
    }

    /// Returns the HTTP response with the headers that Stripe sets.
    pub(super) fn into_http(
        self,
        request_id: &str,
        version: &str,
        idempotency_key: Option<&str>,
    ) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut set = |name: &'static str, value: &str| {
            // The version and the key are valid, because they come from the request's headers.
            if let Ok(value) = HeaderValue::from_str(value) {
                response.headers_mut().insert(HeaderName::from_static(name), value);
            }
        };
        set("content-type", "application/json");
        set("request-id", request_id);
        set("stripe-version", version);
        if let Some(key) = idempotency_key {
            set("idempotency-key", key);
            set("original-request", self.original_request.as_deref().unwrap_or(request_id));
        }
        if self.original_request.is_some() {
            set("idempotent-replayed", "true");
        }
        if self.status == 401 {
            set("www-authenticate", "Bearer realm=\"Stripe\"");
        }
        response
    }
}

/// Returns a response whose body fails at once, so that the client's connection breaks.
pub(super) fn reset() -> Response {
    let broken = futures::stream::once(async {
        Err::<Bytes, _>(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
    });
    Response::new(Body::from_stream(broken))
}
