//! Live feeds: pushes entries to the sockets of the users they concern.
//!
//! - [`ticket`]: the right to open a socket
//! - [`hello`]: replays what a client missed, then makes its socket live
//! - [`fan_out`]: pushes new entries to the sockets of a feed
//! - [`catch_up`]: sends lagging sockets what they missed
//! - [`close`]: closes sockets when their session or account ends, or a user has too many
//! - [`frame`]: the frames that go over a socket
//! - [`push`]: posts frames to sockets through API Gateway
//!
//! Feeds are stored ([`crate::store::Entry`]), and pushing is an optimization of reading them. A
//! socket always gets all entries of a feed from its starting point on. If an entry can't be
//! delivered, the socket is closed, and its client reconnects and says which entries it has.

mod adaptive_timeout;
pub mod catch_up;
pub mod close;
pub mod fan_out;
pub mod frame;
pub mod hello;
pub mod push;
mod replay;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
pub mod ticket;

use crate::config::ConfigError;
use crate::error::Result;
use crate::store::{Connections, Store};
use push::{ApiGateway, PostOutcome, Push, TimeoutPolicy};

/// Access to feeds and sockets.
#[derive(Debug, Clone)]
pub struct LiveService<P = ApiGateway> {
    /// Feeds and accounts.
    pub store: Store,
    /// Tickets and sockets.
    pub connections: Connections,
    /// Posts frames to sockets.
    pub push: P,
}

impl LiveService {
    /// Reads `TABLE_NAME`, `CONNECTIONS_TABLE_NAME`, `PUSH_ENDPOINT` and the variables that Lambda
    /// sets.
    ///
    /// # Errors
    /// Names the variable that is missing or invalid.
    pub fn from_env(timeout: TimeoutPolicy) -> std::result::Result<Self, ConfigError> {
        let (store, connections) = (Store::from_env()?, Connections::from_env()?);
        Ok(Self { store, connections, push: ApiGateway::from_env(timeout)? })
    }
}

impl<P: Push> LiveService<P> {
    /// Sends frames to a socket, in order. Returns `false` if the socket is gone. If a frame can't
    /// be delivered, the socket is closed, so its client never misses one in between.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    /// A failing socket is not an error.
    pub async fn send(&self, connection: &str, frames: &[&[u8]]) -> Result<bool> {
        for frame in frames {
            match self.push.post(connection, frame).await {
                Ok(PostOutcome::Delivered) => {}
                Ok(PostOutcome::Gone) => {
                    self.connections.remove(connection).await?;
                    return Ok(false);
                }
                Err(error) => {
                    let error = push::cause(&error);
                    tracing::warn!(connection, error, "closing unresponsive socket {connection}");
                    self.close_socket(connection).await?;
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Closes a socket and deletes it from the connections table, even if closing fails. It then
    /// gets no more entries and delays nobody, and it is closed when its client sends the next
    /// message, such as a ping.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    pub async fn close_socket(&self, connection: &str) -> Result<()> {
        if let Err(error) = self.push.close(connection).await {
            let error = push::cause(&error);
            tracing::warn!(connection, error, "socket {connection} can't be closed; deleting it");
        }
        self.connections.remove(connection).await.map(drop)
    }
}
