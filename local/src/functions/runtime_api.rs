//! The Lambda Runtime API, version 2018-06-01, through which an instance gets its events and sends
//! its replies.
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>
//!
//! Each instance has its own server, like its own sandbox on Lambda. `AWS_LAMBDA_RUNTIME_API` is
//! therefore the documented `host:port`, and an instance can't answer for another one.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt as _;
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::settings::MAX_PAYLOAD;

/// An event for the function.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) request_id: String,
    pub(super) function_arn: String,
    pub(super) timeout: Duration,
    pub(super) payload: Bytes,
}

/// A message from the process.
#[derive(Debug)]
pub(super) enum Report {
    /// It asks for an event, because init or the previous invocation is finished.
    Ready,
    /// It replied.
    Reply(Bytes),
    /// It reported that the invocation failed, with this error object.
    Failure(Bytes),
    /// Its reply was larger than [`MAX_PAYLOAD`] and was rejected.
    TooLarge,
    /// It reported that init failed, with this error object.
    InitFailure(Bytes),
}

/// The server of one instance. It stops when this is dropped.
#[derive(Debug)]
pub(super) struct RuntimeApi {
    pub(super) address: SocketAddr,
    events: mpsc::Sender<Event>,
    reports: mpsc::UnboundedReceiver<Report>,
    shared: Arc<Shared>,
    _server: AbortOnDropHandle<()>,
}

#[derive(Debug)]
struct Shared {
    events: tokio::sync::Mutex<mpsc::Receiver<Event>>,
    reports: mpsc::UnboundedSender<Report>,
    /// The id of the request that the function is handling.
    current: Mutex<Option<String>>,
}

impl RuntimeApi {
    /// Starts the server on a free port of the loopback interface.
    ///
    /// # Errors
    /// When there is no free port.
    pub(super) async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (events, next) = mpsc::channel(1);
        let (report, reports) = mpsc::unbounded_channel();
        let shared =
            Arc::new(Shared { events: next.into(), reports: report, current: Mutex::default() });
        let router = router(shared.clone());
        let server = tokio::spawn(async move {
            // Messages are small. Waiting to fill a packet would delay each invocation by some
            // milliseconds.
            let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
            // Never returns, because axum retries a failed accept.
            drop(axum::serve(listener, router).await);
        });
        Ok(Self { address, events, reports, shared, _server: AbortOnDropHandle::new(server) })
    }

    /// Queues the function's next event. The function must have taken the one before.
    pub(super) async fn send(&self, event: Event) {
        // Never fails, because `shared` holds the receiver.
        drop(self.events.send(event).await);
    }

    /// Whether the function has taken an event and not finished it yet.
    pub(super) fn is_working(&self) -> bool {
        self.shared.current().is_some()
    }

    /// Waits for the next message from the process, without a time limit.
    pub(super) async fn report(&mut self) -> Report {
        match self.reports.recv().await {
            Some(report) => report,
            // Unreachable, because `shared` holds the sender.
            None => std::future::pending().await,
        }
    }
}

impl Shared {
    fn current(&self) -> MutexGuard<'_, Option<String>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn report(&self, report: Report) {
        // Fails only while the instance is being killed, when the report doesn't matter.
        drop(self.reports.send(report));
    }

    /// Reports the outcome of the current request. Returns false if `request_id` is not the current
    /// request.
    fn finish(&self, request_id: &str, outcome: Report) -> bool {
        let is_current = self.current().take_if(|current| current == request_id).is_some();
        if is_current {
            self.report(outcome);
        }
        is_current
    }
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
        .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
        .route("/2018-06-01/runtime/init/error", post(init_error))
        .with_state(shared)
}

async fn next(State(shared): State<Arc<Shared>>) -> Response {
    shared.report(Report::Ready);
    let Some(event) = shared.events.lock().await.recv().await else {
        return error_response(
            StatusCode::INTERNAL_SERVER_ERROR,
            "ContainerError",
            "the instance is being stopped",
        );
    };
    *shared.current() = Some(event.request_id.clone());
    let deadline = SystemTime::now() + event.timeout;
    let deadline = deadline.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis();
    // As Lambda sends it with `Tracing: Active`. The parent is any 16 digits: there is no X-Ray.
    let root = trace_root(&event.request_id);
    let trace = format!("{root};Parent={};Sampled=1", &root[root.len() - 16..]);
    let headers = [
        ("lambda-runtime-aws-request-id", event.request_id),
        ("lambda-runtime-deadline-ms", deadline.to_string()),
        ("lambda-runtime-invoked-function-arn", event.function_arn),
        ("lambda-runtime-trace-id", trace),
        ("content-type", "application/json".to_owned()),
    ];
    let headers = headers.map(|(name, value)| (HeaderName::from_static(name), value));
    (axum::response::AppendHeaders(headers), Body::from(event.payload)).into_response()
}

async fn response(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    body: Body,
) -> Response {
    finish(&shared, &id, body, Report::Reply).await
}

async fn error(State(shared): State<Arc<Shared>>, Path(id): Path<String>, body: Body) -> Response {
    finish(&shared, &id, body, Report::Failure).await
}

async fn finish(shared: &Shared, id: &str, body: Body, report: fn(Bytes) -> Report) -> Response {
    let (outcome, answer) = match Limited::new(body, MAX_PAYLOAD).collect().await {
        Ok(body) => (report(body.to_bytes()), accepted()),
        Err(e) if e.is::<LengthLimitError>() => {
            let message = format!("Exceeded maximum allowed payload size ({MAX_PAYLOAD} bytes).");
            (
                Report::TooLarge,
                error_response(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", &message),
            )
        }
        Err(e) => {
            return error_response(
                StatusCode::BAD_REQUEST,
                "InvalidRequest",
                &format!("the body is incomplete: {e}"),
            );
        }
    };
    // Checked after the whole body has arrived, so that only the first of two replies counts.
    if shared.finish(id, outcome) { answer } else { unknown_request(id) }
}

async fn init_error(State(shared): State<Arc<Shared>>, body: Body) -> Response {
    // The body only explains the failure to people, so an unreadable one is left out.
    let body = Limited::new(body, MAX_PAYLOAD).collect().await.map(|body| body.to_bytes());
    shared.report(Report::InitFailure(body.unwrap_or_default()));
    accepted()
}

fn accepted() -> Response {
    (StatusCode::ACCEPTED, axum::Json(json!({ "status": "OK" }))).into_response()
}

/// Returns the error for a reply to a request that this instance is not handling, because the
/// request is finished or another instance handles it.
fn unknown_request(id: &str) -> Response {
    error_response(
        StatusCode::FORBIDDEN,
        "InvalidRequestID",
        &format!("this instance is not handling request {id}"),
    )
}

fn error_response(status: StatusCode, kind: &str, message: &str) -> Response {
    (status, axum::Json(json!({ "errorType": kind, "errorMessage": message }))).into_response()
}

/// Returns an X-Ray trace id for a request id (a UUID): `Root=1-<seconds>-<24 hexadecimal digits>`.
/// The digits are the last 24 of the request id, so that either id can be found from the other.
/// <https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html#xray-api-traceids>
pub(crate) fn trace_root(request_id: &str) -> String {
    let seconds =
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let digits: String = request_id.chars().filter(char::is_ascii_hexdigit).collect();
    format!("Root=1-{seconds:08x}-{:0>24}", &digits[digits.len().saturating_sub(24)..])
}

#[cfg(test)]
mod tests;
