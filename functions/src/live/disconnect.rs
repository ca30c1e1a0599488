//! `$disconnect`: cleans up after a closed socket. API Gateway sends this event on a best-effort
//! basis; otherwise the item's TTL or a 410 on a push removes the socket.

use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequest;
use shared::error::Result;
use tracing::Span;
use tracing::field::display;

use super::{Sockets, connection_id};

/// Deletes the socket and its subscriptions.
///
/// # Errors
/// When the database is unavailable.
pub async fn handle(context: &Sockets, event: ApiGatewayWebsocketProxyRequest) -> Result<()> {
    let id = connection_id(&event)?;
    if let Some(connection) = context.connections.remove(id).await? {
        Span::current().record("user", display(&connection.user_id));
        tracing::info!("socket {id} closed");
    }
    Ok(())
}
