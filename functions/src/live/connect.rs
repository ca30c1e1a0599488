//! `$connect`: accepts the handshake of a socket that presents a valid ticket.

use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequest;
use jiff::Timestamp;
use shared::error::{Error, Result, catalogue};
use shared::live::ticket;
use shared::store::Connection;
use tracing::Span;
use tracing::field::display;

use super::{Handshake, connection_id};

/// Redeems the ticket and stores the socket. Nothing is pushed to the socket until its client has
/// sent `hello`.
///
/// # Errors
/// 403 for a browser on an origin that is not allowed, 401 without a valid ticket. API Gateway then
/// refuses the handshake with that status.
pub async fn handle(context: &Handshake, event: ApiGatewayWebsocketProxyRequest) -> Result<()> {
    // Browsers always send the origin, and a page can't forge it. Other clients may omit it, but
    // need a ticket all the same.
    if let Some(origin) = event.headers.get("origin").and_then(|origin| origin.to_str().ok())
        && !context.origins.allow(origin)
    {
        return Err(Error::new(
            &catalogue::ORIGIN_NOT_ALLOWED,
            "Sockets can't be opened from this origin.",
        ));
    }
    let now = Timestamp::now();
    let token = event.query_string_parameters.first("ticket").unwrap_or_default();
    let ticket = ticket::redeem(&context.live.connections, token, now).await?;
    let connection = Connection {
        id: connection_id(&event)?.to_owned(),
        user_id: ticket.user_id,
        session_id: ticket.session_id,
        feeds: Vec::new(),
        connected_at: now,
    };
    context.live.connections.add(&connection).await?;
    Span::current().record("user", display(&connection.user_id));
    tracing::info!("socket {} opened", connection.id);
    context.live.close_excess_sockets(&connection.user_id).await
}
