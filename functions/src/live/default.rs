//! `$default`: whatever a client says over its socket.

use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequest;
use jiff::Timestamp;
use shared::error::{Error, Result};
use shared::live::Live;
use shared::live::frame::{self, Message};
use shared::store::Limit;

/// What a client may say in a minute over one socket; what comes above it is answered with an error frame and else ignored.
const LIMIT: Limit = Limit { name: "socket", most: 120, seconds: 60 };

/// Answers a message: a hello with the welcome and what was missed, a ping with a pong, anything else with an error frame; the socket stays
/// open. Only a socket that could not be given all of its entries is closed: its client comes back and says what it has.
///
/// # Errors
/// When the socket could be neither answered nor closed.
pub async fn handle(context: &Live, event: ApiGatewayWebsocketProxyRequest) -> Result<()> {
    let id = connection_id(&event)?;
    let now = Timestamp::now();
    if let Err(error) = context.connections.count(&LIMIT, id, now).await {
        return context.send(id, &[frame::error(&error)?.as_slice()]).await.map(drop);
    }
    // A binary message comes as base64, which is no JSON.
    let answer = match Message::parse(event.body.as_deref().unwrap_or_default()) {
        Ok(Message::Ping) => frame::pong()?,
        Ok(Message::Hello { after }) => {
            let Some(connection) = context.connections.connection(id).await? else { return context.end(id).await };
            let Err(error) = context.hello(&connection, &after, now).await else { return Ok(()) };
            tracing::info!(
                connection = id,
                code = error.code().code,
                "hello of socket {id} ends it: {}",
                error.code().code
            );
            if context.send(id, &[frame::error(&error)?.as_slice()]).await? {
                context.end(id).await?;
            }
            return Ok(());
        }
        Err(error) => frame::error(&error)?,
    };
    context.send(id, &[answer.as_slice()]).await.map(drop)
}

/// The connection that an event is about.
pub(super) fn connection_id(event: &ApiGatewayWebsocketProxyRequest) -> Result<&str> {
    let id = event.request_context.connection_id.as_deref();
    id.ok_or_else(|| Error::internal("a socket event without a connection id"))
}
