//! The WebSocket handshake.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::{IntoResponse, Response};
use http::header::SEC_WEBSOCKET_PROTOCOL;
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::json;
use tokio::sync::oneshot;
use tokio_tungstenite::tungstenite::error::{Error, ProtocolError};
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;

use super::Gateway;
use super::connection::{self, Connection};
use super::event::Event;
use super::integration::Failure;

/// Answers an upgrade request to `/<stage>` or `/`: 101 when `$connect` accepts it, the status it
/// gives otherwise.
pub(super) async fn handshake(
    State(gateway): State<Arc<Gateway>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
) -> Response {
    if !serves(&gateway.api.stage, request.uri().path()) {
        return refusal(
            StatusCode::FORBIDDEN,
            "ForbiddenException",
            json!({"message": "Forbidden"}),
        );
    }
    let accepted = match create_response_with_body(&request, Body::empty) {
        Ok(accepted) => accepted,
        Err(error) => return not_a_handshake(&error),
    };
    let upgrade = hyper::upgrade::on(&mut request);
    let (answer, answered) = oneshot::channel();
    let (parts, _) = request.into_parts();
    let source_ip = peer.ip().to_string();
    gateway.tasks.spawn(connection::live(
        Arc::clone(&gateway),
        parts,
        source_ip,
        accepted,
        upgrade,
        answer,
    ));
    answered.await.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

/// Asks `$connect`, when there is one: `accepted` with the subprotocol it chose, or else a refusal.
pub(super) async fn connect(
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
        refusal(status, "InternalServerErrorException", body)
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
            &format!("{} refused by {function}: {}", connection.id, reply.status),
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

/// API Gateway serves a stage at `/<stage>`; `/` is as if a custom domain name were mapped to it.
fn serves(stage: &str, path: &str) -> bool {
    let path = path.trim_matches('/');
    path.is_empty() || path == stage
}

fn not_a_handshake(error: &Error) -> Response {
    let status = match error {
        Error::Protocol(
            ProtocolError::MissingConnectionUpgradeHeader
            | ProtocolError::MissingUpgradeWebSocketHeader,
        ) => StatusCode::UPGRADE_REQUIRED,
        _ => StatusCode::BAD_REQUEST,
    };
    let mut response =
        refusal(status, "BadRequestException", json!({"message": error.to_string()}));
    // RFC 9110, 15.5.22: a 426 names the protocol.
    response.headers_mut().insert(http::header::UPGRADE, HeaderValue::from_static("websocket"));
    response
}

fn refusal(status: StatusCode, error_type: &'static str, body: serde_json::Value) -> Response {
    let error_type =
        (HeaderName::from_static("x-amzn-errortype"), HeaderValue::from_static(error_type));
    (status, [error_type], axum::Json(body)).into_response()
}

#[cfg(test)]
mod tests {
    use super::serves;

    #[test]
    fn only_the_stage_and_the_root_are_served() {
        assert!(["/", "/prod", "/prod/"].into_iter().all(|path| serves("prod", path)));
        assert!(!["/dev", "/prod/x", "/PROD"].into_iter().any(|path| serves("prod", path)));
    }
}
