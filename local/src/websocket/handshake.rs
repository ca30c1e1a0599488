//! The WebSocket handshake.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode};
use serde_json::json;
use tokio::sync::oneshot;
use tokio_tungstenite::tungstenite::error::{Error, ProtocolError};
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;

use super::connect::error_response;
use super::gateway::Gateway;
use super::lifetime;

/// Handles an upgrade request to `/<stage>` or `/`. Responds with 101 if `$connect` accepts it, and
/// otherwise with the status that `$connect` returned.
pub(super) async fn handshake(
    State(gateway): State<Arc<Gateway>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
) -> Response {
    if !is_stage_path(&gateway.api.stage, request.uri().path()) {
        return error_response(
            StatusCode::FORBIDDEN,
            "ForbiddenException",
            json!({"message": "Forbidden"}),
        );
    }
    let accepted = match create_response_with_body(&request, Body::empty) {
        Ok(accepted) => accepted,
        Err(error) => return invalid_handshake(&error),
    };
    let upgrade = hyper::upgrade::on(&mut request);
    let (answer, answered) = oneshot::channel();
    let (parts, _) = request.into_parts();
    let source_ip = peer.ip().to_string();
    gateway.tasks.spawn(lifetime::run(
        Arc::clone(&gateway),
        parts,
        source_ip,
        accepted,
        upgrade,
        answer,
    ));
    answered.await.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

/// Whether a path is that of the stage: `/<stage>`, as on API Gateway, or `/`, as if a custom
/// domain name were mapped to the stage.
fn is_stage_path(stage: &str, path: &str) -> bool {
    let path = path.trim_matches('/');
    path.is_empty() || path == stage
}

fn invalid_handshake(error: &Error) -> Response {
    let status = match error {
        Error::Protocol(
            ProtocolError::MissingConnectionUpgradeHeader
            | ProtocolError::MissingUpgradeWebSocketHeader,
        ) => StatusCode::UPGRADE_REQUIRED,
        _ => StatusCode::BAD_REQUEST,
    };
    let mut response =
        error_response(status, "BadRequestException", json!({"message": error.to_string()}));
    // A 426 must name the protocol (RFC 9110, 15.5.22).
    response.headers_mut().insert(http::header::UPGRADE, HeaderValue::from_static("websocket"));
    response
}

#[cfg(test)]
mod tests {
    use super::is_stage_path;

    #[test]
    fn only_the_stage_and_the_root_are_served() {
        assert!(["/", "/prod", "/prod/"].into_iter().all(|path| is_stage_path("prod", path)));
        assert!(!["/dev", "/prod/x", "/PROD"].into_iter().any(|path| is_stage_path("prod", path)));
    }
}
