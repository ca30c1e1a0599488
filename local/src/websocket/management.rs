//! The `@connections` API, through which functions send messages to clients and close connections.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html>

use std::sync::Arc;

use axum::body::to_bytes;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::{Json, Router};
use bytes::Bytes;
use futures::future::pending;
use http::{HeaderMap, Method, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::connection::{Connection, Outgoing, SendError};
use super::end::End;
use super::faults::Fault;
use super::gateway::Gateway;
use super::id;
use crate::iam;

/// Decides whether an access key (the first part of a `SigV4` `Credential`) is allowed an action
/// (`execute-api:ManageConnections`) on a resource
/// (`arn:aws:execute-api:<region>:<account>:<api>/<stage>/POST/@connections/<id>`).
pub type Authorize = Arc<dyn Fn(&str, &str, &str) -> bool + Send + Sync>;

const ACTION: &str = "execute-api:ManageConnections";
const ARN_PREFIX: &str = "arn:aws:execute-api:us-east-1:000000000000";

/// The largest body that is read: API Gateway's payload limit. Bodies over the message limit are
/// read too, so that their callers receive a 413 instead of a reset connection.
const MAX_BODY: usize = 10 * 1024 * 1024;

#[derive(Clone)]
struct Management {
    gateway: Arc<Gateway>,
    authorize: Authorize,
}

/// The path parameters, percent-decoded.
#[derive(Deserialize)]
struct Target {
    stage: Option<String>,
    id: String,
}

/// The errors of the API, as modelled by `aws-sdk-apigatewaymanagement`.
enum ApiError {
    BadRequest(String),
    Forbidden(String),
    /// The request has no signature, or a method that the API doesn't have. API Gateway gives both
    /// the same answer.
    Unsigned,
    Gone,
    PayloadTooLarge,
    LimitExceeded,
    Throttled,
    Internal,
}

pub(super) fn router(gateway: Arc<Gateway>, authorize: Authorize) -> Router {
    let mut router = Router::new();
    // Some callers encode the `@`, and axum matches routes before it decodes paths.
    for connections in ["@connections", "%40connections"] {
        router = router
            .route(&format!("/{connections}/{{id}}"), any(manage))
            .route(&format!("/{{stage}}/{connections}/{{id}}"), any(manage));
    }
    router.with_state(Management { gateway, authorize })
}

async fn manage(
    State(management): State<Management>,
    Path(target): Path<Target>,
    request: Request,
) -> Result<Response, ApiError> {
    let gateway = &management.gateway;
    if target.stage.as_ref().is_some_and(|stage| *stage != gateway.api.stage) {
        return Err(ApiError::Forbidden("Forbidden".to_owned()));
    }
    let (parts, body) = request.into_parts();
    management.authorize(&parts.method, &target.id, &parts.headers)?;
    let message = to_bytes(body, MAX_BODY).await.map_err(|_| ApiError::PayloadTooLarge)?;
    match gateway.faults.take(|rule| rule.matches(&parts.method, &message)).map(|rule| rule.fault) {
        None => act(gateway, &parts.method, &target.id, message).await,
        Some(Fault::Error429) => Err(ApiError::Throttled),
        Some(Fault::Error500) => Err(ApiError::Internal),
        Some(Fault::Timeout) => pending().await,
        Some(Fault::TimeoutAfterActing) => {
            drop(act(gateway, &parts.method, &target.id, message).await);
            pending().await
        }
    }
}

/// Does what the request asks for. A method that needs an open connection fails if the connection
/// is closed.
async fn act(
    gateway: &Gateway,
    method: &Method,
    id: &str,
    message: Bytes,
) -> Result<Response, ApiError> {
    let connection = || match gateway.open.get(id) {
        Some(connection) => Ok(connection),
        None if id::is_well_formed(id) => Err(ApiError::Gone),
        None => Err(ApiError::BadRequest(format!("Invalid connectionId: {id}"))),
    };
    match *method {
        Method::POST => post(gateway, connection, message).await,
        Method::GET => Ok(describe(connection()?.as_ref())),
        Method::DELETE => Ok(delete(gateway, &connection()?)),
        _ => Err(ApiError::Unsigned),
    }
}

/// Queues the body for the client. A 200 means that it will be sent, not that it has arrived.
async fn post(
    gateway: &Gateway,
    connection: impl Fn() -> Result<Arc<Connection>, ApiError>,
    message: Bytes,
) -> Result<Response, ApiError> {
    if message.len() > gateway.quotas.message_bytes {
        return Err(ApiError::PayloadTooLarge);
    }
    match connection()?.send(Outgoing::Message(message), gateway.quotas.buffer_wait).await {
        Ok(()) => Ok(StatusCode::OK.into_response()),
        Err(SendError::Gone) => Err(ApiError::Gone),
        Err(SendError::BufferFull) => Err(ApiError::LimitExceeded),
    }
}

fn describe(connection: &Connection) -> Response {
    Json(json!({
        "connectedAt": connection.connected_at,
        "identity": connection.identity,
        "lastActiveAt": connection.last_active_at(),
    }))
    .into_response()
}

/// Removes the connection at once. Its socket is closed after the messages that were posted before.
fn delete(gateway: &Gateway, connection: &Arc<Connection>) -> Response {
    gateway.open.remove(&connection.id);
    let (connection, wait) = (Arc::clone(connection), gateway.quotas.slow_client);
    gateway.tasks.spawn(async move {
        // If the queue stays full for that long, the connection of the slow client ends anyway.
        drop(connection.send(Outgoing::Close(End::DELETED), wait).await);
    });
    StatusCode::NO_CONTENT.into_response()
}

impl Management {
    /// Checks that the request is signed, and that its signer may do this. The signature itself is
    /// not checked.
    fn authorize(&self, method: &Method, id: &str, headers: &HeaderMap) -> Result<(), ApiError> {
        let header = headers.get(http::header::AUTHORIZATION).ok_or(ApiError::Unsigned)?;
        let Some(key) = header.to_str().ok().and_then(iam::credential) else {
            let message = "The Authorization header is not a SigV4 header".to_owned();
            return Err(ApiError::Forbidden(message));
        };
        let api = &self.gateway.api;
        let resource =
            format!("{ARN_PREFIX}:{}/{}/{method}/@connections/{id}", api.api_id, api.stage);
        if (self.authorize)(key, ACTION, &resource) {
            return Ok(());
        }
        Err(ApiError::Forbidden(format!(
            "{key} is not authorized to perform: {ACTION} on resource: {resource}"
        )))
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, name, message) = match self {
            Self::BadRequest(message) => (StatusCode::BAD_REQUEST, "BadRequestException", message),
            Self::Forbidden(message) => (StatusCode::FORBIDDEN, "ForbiddenException", message),
            Self::Unsigned => (
                StatusCode::FORBIDDEN,
                "MissingAuthenticationTokenException",
                "Missing Authentication Token".to_owned(),
            ),
            Self::Gone => (StatusCode::GONE, "GoneException", "Connection is gone".to_owned()),
            Self::PayloadTooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "PayloadTooLargeException",
                "Payload too large".to_owned(),
            ),
            Self::LimitExceeded => (
                StatusCode::TOO_MANY_REQUESTS,
                "LimitExceededException",
                "Client side buffer is full".to_owned(),
            ),
            // On AWS these come from a layer in front of the API and have no error type.
            Self::Throttled => {
                return (
                    StatusCode::TOO_MANY_REQUESTS,
                    Json(json!({"message": "Too Many Requests"})),
                )
                    .into_response();
            }
            Self::Internal => {
                let body = Json(json!({"message": "Internal server error"}));
                return (StatusCode::INTERNAL_SERVER_ERROR, body).into_response();
            }
        };
        (status, [("x-amzn-errortype", name)], Json(json!({"message": message}))).into_response()
    }
}
