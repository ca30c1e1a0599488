//! An API Gateway HTTP API in front of the functions: payload format 2.0, stage `$default`.
//!
//! The gateway itself sends these responses, as documented or observed on AWS:
//!
//! | status | when |
//! |---|---|
//! | 404 `Not Found` | no route for this path and method; there is no 405 ([routes]) |
//! | 413 `Request Entity Too Large` | a body over 10 MB, or an event over Lambda's 6 MB ([quotas]) |
//! | 431 `Request Header Fields Too Large` | request line and header values over 10,240 bytes ([quotas]) |
//! | 500 `Internal Server Error` | the function failed, timed out, died or could not be started, or its reply is malformed ([5xx]) |
//! | 503 `Service Unavailable` | no reply within 30 s ([quotas] and [timeout]), or the function is throttled |
//!
//! 502 and 504 come from REST APIs only; an HTTP API with a Lambda integration never sends them.
//!
//! [routes]:
//! https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
//! [quotas]: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
//! [5xx]: https://repost.aws/knowledge-center/api-gateway-5xx-error
//! [timeout]: https://github.com/serverless/serverless/issues/11222

mod cors;
mod event;
mod reply;
mod routes;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::serve::ListenerExt as _;
use bytes::Bytes;
use data_encoding::BASE64URL;
use http::HeaderValue;
use http::request::Parts;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use jiff::Timestamp;
use serde_json::json;
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::invoke::{Invoke, InvokeError};
use crate::log::Log;
use crate::model::{Cors, HttpApi, Project};
use event::Context;
use routes::{Matched, Routes};

/// How long API Gateway waits for a function.
pub const INTEGRATION_TIMEOUT: Duration = Duration::from_secs(30);

const MAX_BODY: usize = 10 * 1024 * 1024;
const MAX_HEAD: usize = 10_240;

/// An HTTP API with its routes and the functions behind them.
pub struct Gateway {
    api_id: String,
    account_id: String,
    routes: Routes,
    cors: Option<Cors>,
    invoke: Arc<dyn Invoke>,
    log: Log,
    integration_timeout: Duration,
}

impl Gateway {
    /// Creates the gateway of `api`. `integration_timeout` is [`INTEGRATION_TIMEOUT`], except in
    /// tests and with `--functions`, where a function may have to be compiled first.
    pub fn new(
        api: &HttpApi,
        project: &Project,
        invoke: Arc<dyn Invoke>,
        log: Log,
        integration_timeout: Duration,
    ) -> Self {
        // arn:aws:lambda:<region>:<account>:function:<name>
        let account = project.functions.first().and_then(|function| function.arn.split(':').nth(4));
        Self {
            api_id: api.api_id.clone(),
            account_id: account.unwrap_or_default().to_owned(),
            routes: Routes::new(&api.routes),
            cors: api.cors.clone(),
            invoke,
            log,
            integration_timeout,
        }
    }
}

/// Serves the API until the future is dropped.
///
/// # Errors
/// Never, because axum retries a failed accept.
pub async fn serve(listener: TcpListener, gateway: Gateway) -> std::io::Result<()> {
    let router = Router::new().fallback(handle).with_state(Arc::new(gateway));
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>()).await
}

async fn handle(
    State(gateway): State<Arc<Gateway>>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (start, received) = (Instant::now(), Timestamp::now());
    let request_id = request_id();
    let log_line = gateway.log.request(&request_id);
    let (request, body) = request.into_parts();
    let is_preflight =
        gateway.cors.is_some() && cors::is_preflight(&request.method, &request.headers);
    let mut source = "http";
    let mut response = if head_size(&request) > MAX_HEAD {
        error_response(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)
    } else if is_preflight {
        StatusCode::NO_CONTENT.into_response()
    } else if let Some(matched) = gateway.routes.find(&request.method, request.uri.path()) {
        source = matched.function;
        let context = Context {
            account_id: &gateway.account_id,
            api_id: &gateway.api_id,
            request_id: &request_id,
            client,
            received,
        };
        gateway.integrate(&request, body, &matched, &context).await
    } else {
        error_response(StatusCode::NOT_FOUND)
    };
    if let Some(cors) = &gateway.cors {
        cors.apply(&request.headers, is_preflight, response.headers_mut());
    }
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert("apigw-requestid", id);
    }
    // The query is left out, because it may contain secrets.
    let (method, path, status) = (&request.method, request.uri.path(), response.status().as_u16());
    let line = format!("{method} {path} {status} {} ms", start.elapsed().as_millis());
    log_line.end(source, &line);
    response
}

impl Gateway {
    async fn integrate(
        &self,
        request: &Parts,
        body: Body,
        matched: &Matched<'_>,
        context: &Context<'_>,
    ) -> Response {
        let body = match read(body).await {
            Ok(body) => body,
            Err(response) => return response,
        };
        let event = event::event(request, &body, matched, context).to_string();
        let invocation = self.invoke.invoke(matched.function, event.into());
        let failed = |status: StatusCode, reason: &str| {
            let text = format!("{} {}: {reason}", matched.key, status.as_u16());
            self.log.line("http", Some(context.request_id), &text);
            error_response(status)
        };
        match tokio::time::timeout(self.integration_timeout, invocation).await {
            Err(_) => {
                let reason = format!(
                    "no reply from {} within {:?}",
                    matched.function, self.integration_timeout
                );
                failed(StatusCode::SERVICE_UNAVAILABLE, &reason)
            }
            Ok(Err(e @ InvokeError::Throttled(_))) => {
                failed(StatusCode::SERVICE_UNAVAILABLE, &e.to_string())
            }
            Ok(Err(e @ InvokeError::TooLarge(_))) => {
                failed(StatusCode::PAYLOAD_TOO_LARGE, &e.to_string())
            }
            Ok(Err(e @ (InvokeError::NotFound(_) | InvokeError::Unavailable(_)))) => {
                failed(StatusCode::INTERNAL_SERVER_ERROR, &e.to_string())
            }
            // The runner of the function has already logged the reason.
            Ok(Ok(invocation)) if invocation.error.is_some() => {
                error_response(StatusCode::INTERNAL_SERVER_ERROR)
            }
            Ok(Ok(invocation)) => reply::response(&invocation.payload).unwrap_or_else(|e| {
                let reason = format!("malformed reply from {}: {e:#}", matched.function);
                failed(StatusCode::INTERNAL_SERVER_ERROR, &reason)
            }),
        }
    }
}

async fn read(body: Body) -> Result<Bytes, Response> {
    match Limited::new(body, MAX_BODY).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(e) if e.is::<LengthLimitError>() => Err(error_response(StatusCode::PAYLOAD_TOO_LARGE)),
        // The client aborted the request, and is unlikely to read this response.
        Err(_) => Err(error_response(StatusCode::BAD_REQUEST)),
    }
}

/// Returns the size of the request line and of the header values, in bytes.
fn head_size(request: &Parts) -> usize {
    let line = format!("{} {} {:?}", request.method, request.uri, request.version).len();
    line + request.headers.values().map(HeaderValue::len).sum::<usize>()
}

/// Returns an error response of API Gateway itself, such as `{"message": "Not Found"}`.
fn error_response(status: StatusCode) -> Response {
    let message = match status {
        // API Gateway still uses the name from an older RFC (2616).
        StatusCode::PAYLOAD_TOO_LARGE => "Request Entity Too Large",
        _ => status.canonical_reason().unwrap_or_default(),
    };
    (status, axum::Json(json!({ "message": message }))).into_response()
}

/// Returns a request id of 16 characters, such as `JKJaXmPLvHcESHA=`, as API Gateway does. It
/// encodes the low byte of the time and 74 random bits.
fn request_id() -> String {
    BASE64URL.encode(&Uuid::now_v7().as_bytes()[5..])
}
