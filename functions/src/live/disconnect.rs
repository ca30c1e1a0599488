//! `$disconnect`: a socket is gone. API Gateway tells of it as best it can; TTL and 410 on a push
//! see to the rest.

use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequest;
use shared::error::Result;

use super::Sockets;
use super::default::connection_id;

/// Deletes the socket and what it was to get.
///
/// # Errors
/// When the database is unavailable.
pub async fn handle(context: &Sockets, event: ApiGatewayWebsocketProxyRequest) -> Result<()> {
    let id = connection_id(&event)?;
    if let Some(connection) = context.connections.remove(id).await? {
        tracing::info!(user = %connection.user_id, connection = id, "socket {id} closed");
    }
    Ok(())
}
