//! `$default`: handles the messages that clients send over their sockets.

use std::collections::BTreeMap;

use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequest;
use jiff::Timestamp;
use shared::error::Result;
use shared::live::LiveService;
use shared::live::frame::{self, Message};
use shared::store::{Connection, RateLimit};
use tracing::Span;
use tracing::field::display;

use super::connection_id;

/// How many messages a client may send per minute over one socket. Further messages get an error
/// frame and are otherwise ignored.
const MESSAGE_LIMIT: RateLimit = RateLimit { name: "socket", max: 120, window_seconds: 60 };
/// How many of them may be hellos, which read feeds. A client that reconnects sends one.
const HELLO_LIMIT: RateLimit = RateLimit { name: "hello", max: 12, window_seconds: 60 };

/// Answers a message: a hello with the welcome and the missed entries, a ping with a pong, anything
/// else with an error frame. The socket stays open, unless it is unknown or some of its entries
/// could not be delivered. In that case it is closed; its client reconnects and says which entries
/// it has.
///
/// # Errors
/// When the database is unavailable.
pub async fn handle(context: &LiveService, event: ApiGatewayWebsocketProxyRequest) -> Result<()> {
    let id = connection_id(&event)?;
    let now = Timestamp::now();
    let known = context.connections.connection(id);
    let (connection, counted) =
        futures::join!(known, context.connections.count_attempt(&MESSAGE_LIMIT, id, now));
    let Some(connection) = connection? else { return context.close_socket(id).await };
    Span::current().record("user", display(&connection.user_id));
    let answer =
        match counted.and_then(|_| Message::parse(event.body.as_deref().unwrap_or_default())) {
            Ok(Message::Ping) => frame::pong()?,
            Ok(Message::Hello { after }) => {
                match context.connections.count_attempt(&HELLO_LIMIT, id, now).await {
                    Ok(_) => return hello(context, &connection, &after, now).await,
                    Err(error) => frame::error(&error)?,
                }
            }
            // A binary message arrives as base64, which is not valid JSON.
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
    tracing::info!(code, "closing socket {id} after its hello: {code}");
    if context.send(id, &[frame::error(&error)?.as_slice()]).await? {
        context.close_socket(id).await?;
    }
    Ok(())
}
