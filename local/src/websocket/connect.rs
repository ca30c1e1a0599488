//! Invokes the `$connect` function, which accepts or rejects a handshake.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use http::header::SEC_WEBSOCKET_PROTOCOL;
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::json;

use super::connection::Connection;
use super::event::Event;
use super::gateway::Gateway;
use super::integration::Failure;

/// Invokes `$connect`, if the API has this route. Returns `accepted`, with the subprotocol that the
/// function chose.
///
/// # Errors
/// The response that rejects the handshake.
pub(super) async fn authorize(
    gateway: &Arc<Gateway>,
    connection: &Connection,
    parts: &Parts,
    mut accepted: Response,
) -> Result<Response, Response> {
    let Some(function) = gateway.api.routes.get("$connect") else {
        return Ok(accepted);
    };
    let event = Event::connect(&gateway.api, connection, parts);
    let request_id = event.request_context.request_id.clone();
    let failed = |status, message| {
        let body =
            json!({"message": message, "connectionId": connection.id, "requestId": request_id});
        error_response(status, "InternalServerErrorException", body)
    };
    let reply = match gateway.integrate(function, event).await {
        Ok(reply) => reply,
        Err(Failure::Failed) => {
            return Err(failed(StatusCode::BAD_GATEWAY, "Internal server error"));
        }
        Err(Failure::TimedOut) => {
            return Err(failed(StatusCode::GATEWAY_TIMEOUT, "Endpoint request timed out"));
        }
    };
    if !reply.status.is_success() {
        gateway.log.line(
            "ws",
            Some(&request_id),
            &format!("{} rejected by {function}: {}", connection.id, reply.status),
        );
        return Err(reply.status.into_response());
    }
    // https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-connect-route-subprotocol.html
    if let Some(protocol) = reply.header(SEC_WEBSOCKET_PROTOCOL.as_str()) {
        match HeaderValue::from_str(protocol) {
            Ok(protocol) => drop(accepted.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, protocol)),
            Err(_) => return Err(failed(StatusCode::BAD_GATEWAY, "Internal server error")),
        }
    }
    gateway.log.line("ws", Some(&connection.id), "open");
    Ok(accepted)
}

/// Returns an error response in the form of API Gateway's own.
pub(super) fn error_response(
    status: StatusCode,
    error_type: &'static str,
    body: serde_json::Value,
) -> Response {
    let error_type =
        (HeaderName::from_static("x-amzn-errortype"), HeaderValue::from_static(error_type));
    (status, [error_type], axum::Json(body)).into_response()
}
