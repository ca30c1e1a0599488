//! The DynamoDB proxy. It checks each request against IAM, applies injected faults, forwards and
//! counts it, and notifies the streams of writes.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

use super::faults::{self, FaultKind, Faults};
use super::request::{Schema, is_partiql, reports_capacity, writes};
use super::stats::{Call, Stats};
use super::upstream::Upstream;
use super::writes::TableWrites;
use super::{capacity, corrections, refusals, request, stats};
use crate::iam::{self, Caller, Iam};
use crate::log::Log;

/// DynamoDB accepts bodies of up to 16 MB.
const MAX_BODY: usize = 16 * 1024 * 1024;

/// The proxy, with everything it needs to handle a request.
pub struct Proxy {
    pub(super) iam: Arc<Iam>,
    pub(super) schema: Schema,
    pub(super) upstream: Upstream,
    pub(super) writes: TableWrites,
    pub(super) log: Log,
    pub(super) faults: Faults,
    pub(super) stats: Stats,
}

/// Closes the connection without a response.
#[derive(Debug)]
struct LostResponse;

impl std::fmt::Display for LostResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a test injected the loss of this response")
    }
}

impl std::error::Error for LostResponse {}

type Reply = Response<Full<Bytes>>;

impl Proxy {
    /// Accepts connections until the handle is dropped.
    pub fn serve(self, listener: TcpListener) -> AbortOnDropHandle<Infallible> {
        let proxy = Arc::new(self);
        AbortOnDropHandle::new(tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            loop {
                // The client aborted the connection, or no file descriptor is free. Both are
                // temporary.
                let Ok((stream, _)) = listener.accept().await else {
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                    continue;
                };
                while connections.try_join_next().is_some() {}
                drop(stream.set_nodelay(true));
                let proxy = proxy.clone();
                let service = service_fn(move |request| {
                    let proxy = proxy.clone();
                    async move { proxy.handle(request).await }
                });
                connections.spawn(async move {
                    // The client notices connection errors itself.
                    drop(
                        http1::Builder::new().serve_connection(TokioIo::new(stream), service).await,
                    );
                });
            }
        }))
    }

    async fn handle(&self, request: Request<Incoming>) -> Result<Reply, LostResponse> {
        let (parts, body) = request.into_parts();
        let Ok(body) = Limited::new(body, MAX_BODY).collect().await else {
            return Ok(reply(
                StatusCode::PAYLOAD_TOO_LARGE,
                &json!({"message": "request body is too large"}),
            ));
        };
        let body = body.to_bytes();
        match (&parts.method, parts.uri.path()) {
            (&Method::POST, "/_local/faults") => Ok(match serde_json::from_slice(&body) {
                Ok(fault) => {
                    self.faults.add(fault);
                    reply(StatusCode::CREATED, &json!({}))
                }
                Err(error) => {
                    reply(StatusCode::BAD_REQUEST, &json!({"message": error.to_string()}))
                }
            }),
            (&Method::GET, "/_local/faults") => Ok(list(self.faults.to_json())),
            (&Method::DELETE, "/_local/faults") => {
                self.faults.clear();
                Ok(reply(StatusCode::OK, &json!({})))
            }
            (&Method::GET, "/_local/stats") => Ok(list(self.stats.totals())),
            (&Method::GET, "/_local/invocations") => Ok(list(self.stats.invocations())),
            _ => self.operation(parts, body).await,
        }
    }

    /// Handles a call to DynamoDB or to its streams.
    async fn operation(
        &self,
        parts: http::request::Parts,
        body: Bytes,
    ) -> Result<Reply, LostResponse> {
        let operation = header_text(&parts, "x-amz-target")
            .and_then(|t| t.split_once('.'))
            .map(|(_, op)| op.to_owned());
        let (Some(operation), Ok(json)) = (operation, serde_json::from_slice::<Value>(&body))
        else {
            // This isn't a valid request. DynamoDB rejects it with its own error.
            return Ok(self.forward(parts, body).await.map(Full::from));
        };
        let caller = header_text(&parts, "authorization")
            .and_then(iam::credential)
            .and_then(|id| self.iam.caller(id));
        let function = caller.map(|c| c.function.as_str());
        let trace = header_text(&parts, "x-amzn-trace-id").map(str::to_owned);
        let stats_caller = stats::Caller { function, trace: trace.as_deref() };

        if let Some(denial) = caller.and_then(|caller| self.denial(caller, &operation, &json)) {
            self.stats.count(stats_caller, Call { operation, denied: true, ..Call::default() });
            return Ok(denial);
        }

        if let Some(refusal) =
            refusals::refusal(&self.schema, &self.upstream, &operation, &json).await
        {
            self.stats.count(stats_caller, Call { operation, error: true, ..Call::default() });
            return Ok(reply(
                StatusCode::BAD_REQUEST,
                &json!({"__type": refusal.kind, "message": refusal.message}),
            ));
        }

        let tables = self.schema.tables(&operation, &json);
        let fault = self.faults.apply(function, &operation, &tables);
        match fault {
            Some(FaultKind::Timeout) => std::future::pending().await,
            Some(kind) => {
                if let Some((status, error)) = faults::response(kind, &operation, &json) {
                    self.stats
                        .count(stats_caller, Call { operation, error: true, ..Call::default() });
                    let status =
                        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                    return Ok(reply(status, &error));
                }
            }
            None => {}
        }

        let answer = self.forward_and_count(parts, body, stats_caller, &operation, &json).await;
        if answer.status().is_success() {
            if writes(&operation) {
                tables.iter().for_each(|table| self.writes.notify(table));
            } else if is_partiql(&operation) {
                self.writes.notify_all();
            }
        }
        if fault == Some(FaultKind::LostResponse) {
            Err(LostResponse)
        } else {
            Ok(answer.map(Full::from))
        }
    }

    /// Returns AWS's error response if the caller's policy doesn't allow everything in the request.
    fn denial(&self, caller: &Caller, operation: &str, body: &Value) -> Option<Reply> {
        let Ok(accesses) = self.schema.accesses(operation, body) else {
            let message =
                format!("the local cloud doesn't support {operation} (PartiQL) for functions");
            self.log.line(&caller.function, None, &message);
            return Some(reply(
                StatusCode::BAD_REQUEST,
                &json!({"__type": "com.amazon.coral.validate#ValidationException", "message": message}),
            ));
        };
        let request::Access { action, resource, .. } =
            accesses.iter().find(|a| !caller.allows(&a.action, &a.resource, &a.leading_keys))?;
        let message = caller.denial(action, resource);
        self.log.line(
            &caller.function,
            None,
            &format!(
                "AccessDenied: the function's policy in the template does not allow {action} on \
                 {resource}"
            ),
        );
        Some(reply(
            StatusCode::BAD_REQUEST,
            &json!({"__type": "com.amazon.coral.service#AccessDeniedException", "Message": message}),
        ))
    }

    /// Forwards a request and counts it. For calls from functions, the consumed capacity is counted
    /// too.
    async fn forward_and_count(
        &self,
        parts: http::request::Parts,
        body: Bytes,
        caller: stats::Caller<'_>,
        operation: &str,
        json: &Value,
    ) -> Response<Bytes> {
        let caller_wants_capacity = json.get("ReturnConsumedCapacity").is_some();
        let add_capacity = caller.function.is_some()
            && !caller_wants_capacity
            && reports_capacity(operation)
            && json.as_object().is_some_and(|o| !o.is_empty());
        let mut answer = self
            .forward(parts, if add_capacity { capacity::request_capacity(&body) } else { body })
            .await;
        let success = answer.status().is_success();
        let units = if success && (add_capacity || caller_wants_capacity) {
            capacity::units(answer.body())
        } else {
            0.0
        };
        let (read_units, write_units) = if writes(operation) { (0.0, units) } else { (units, 0.0) };
        let call = Call {
            operation: operation.to_owned(),
            denied: false,
            error: !success,
            read_units,
            write_units,
        };
        self.stats.count(caller, call);
        if add_capacity
            && success
            && let Some(stripped) = capacity::strip(answer.body())
        {
            replace_body(&mut answer, stripped);
        }
        if success
            && let Some(body) = corrections::corrected(&self.schema, operation, json, answer.body())
        {
            replace_body(&mut answer, body);
        }
        answer
    }

    async fn forward(&self, parts: http::request::Parts, body: Bytes) -> Response<Bytes> {
        match self.upstream.forward(Request::from_parts(parts, Full::from(body))).await {
            Ok(mut answer) => {
                // These headers only concern the connection to the upstream.
                answer.headers_mut().remove(header::CONNECTION);
                answer.headers_mut().remove(header::TRANSFER_ENCODING);
                answer
            }
            Err(error) => {
                self.log.line("dynamodb", None, &format!("{error:#}"));
                let body = json!({"__type": "com.amazon.coral.service#ServiceUnavailable", "message": error.to_string()});
                response(StatusCode::SERVICE_UNAVAILABLE, &body)
            }
        }
    }
}

fn replace_body(answer: &mut Response<Bytes>, body: Vec<u8>) {
    let headers = answer.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert("x-amz-crc32", crc32fast::hash(&body).into());
    *answer.body_mut() = body.into();
}

/// Responds with a serialized list.
fn list(list: serde_json::Result<Vec<u8>>) -> Reply {
    match list {
        Ok(list) => Response::new(Full::from(list)),
        Err(error) => {
            reply(StatusCode::INTERNAL_SERVER_ERROR, &json!({"message": error.to_string()}))
        }
    }
}

fn header_text<'p>(parts: &'p http::request::Parts, name: &str) -> Option<&'p str> {
    parts.headers.get(name)?.to_str().ok()
}

/// Builds a response with the same headers as DynamoDB's.
fn response(status: StatusCode, body: &Value) -> Response<Bytes> {
    let body = body.to_string();
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.0"));
    headers.insert("x-amz-crc32", crc32fast::hash(body.as_bytes()).into());
    if let Ok(id) = HeaderValue::from_str(&Uuid::now_v7().simple().to_string().to_uppercase()) {
        headers.insert("x-amzn-requestid", id);
    }
    *response.body_mut() = body.into();
    response
}

fn reply(status: StatusCode, body: &Value) -> Reply {
    response(status, body).map(Full::from)
}
