//! `$default`: whatever a client says over its socket.

use std::collections::BTreeMap;

use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequest;
use jiff::Timestamp;
use shared::error::{Error, Result};
use shared::live::LiveService;
use shared::live::frame::{self, Message};
use shared::store::{Connection, RateLimit};

/// What a client may say in a minute over one socket; what comes above it is answered with an error
/// frame and else ignored.
const LIMIT: RateLimit = RateLimit { name: "socket", max: 120, window_seconds: 60 };
/// Hellos among them: each reads feeds. A client that comes back says one.
const HELLOS: RateLimit = RateLimit { name: "hello", max: 12, window_seconds: 60 };

/// Answers a message: a hello with the welcome and what was missed, a ping with a pong, anything
/// else with an error frame; the socket stays open. Only a socket that could not be given all of
/// its entries is closed, as is one that is not known (any more): its client comes back and says
/// what it has.
///
/// # Errors
/// When the database is unavailable.
pub async fn handle(context: &LiveService, event: ApiGatewayWebsocketProxyRequest) -> Result<()> {
    let id = connection_id(&event)?;
    let now = Timestamp::now();
    let known = context.connections.connection(id);
    let (connection, counted) = futures::join!(known, context.connections.count(&LIMIT, id, now));
    let Some(connection) = connection? else { return context.close_socket(id).await };
    let answer = match counted
        .and_then(|_| Message::parse(event.body.as_deref().unwrap_or_default()))
    {
        Ok(Message::Ping) => frame::pong()?,
        Ok(Message::Hello { after }) => match context.connections.count(&HELLOS, id, now).await {
            Ok(_) => return hello(context, &connection, &after, now).await,
            Err(error) => frame::error(&error)?,
        },
        // A binary message comes as base64, which is no JSON.
        Err(error) => frame::error(&error)?,
    };
    context.send(id, &[answer.as_slice()]).await.map(drop)
}

async fn hello(
    context: &LiveService,
    connection: &Connection,
    after: &BTreeMap<String, u64>,
    now: Timestamp,
) -> Result<()> {
    let Err(error) = context.hello(connection, after, now).await else { return Ok(()) };
    let (id, code) = (connection.id.as_str(), error.code().code);
    tracing::info!(connection = id, code, "hello of socket {id} ends it: {code}");
    if context.send(id, &[frame::error(&error)?.as_slice()]).await? {
        context.close_socket(id).await?;
    }
    Ok(())
}

/// The connection that an event is about.
pub(super) fn connection_id(event: &ApiGatewayWebsocketProxyRequest) -> Result<&str> {
    let id = event.request_context.connection_id.as_deref();
    id.ok_or_else(|| Error::internal("a socket event without a connection id"))
}
