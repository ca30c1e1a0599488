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
//! Entries are stored ([`crate::store::Entry`]) before they are pushed, so a client can also read
//! them, and nothing depends on a push. A socket gets every entry of a feed from its starting point
//! on. If an entry can't be delivered, the socket is closed, and its client reconnects and says
//! which entries it has.

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
    /// Fails if a variable is missing or invalid; the error names it.
    pub fn from_env(timeout: TimeoutPolicy) -> std::result::Result<Self, ConfigError> {
        let (store, connections) = (Store::from_env()?, Connections::from_env()?);
        Ok(Self { store, connections, push: ApiGateway::from_env(timeout)? })
    }
}

impl<P: Push> LiveService<P> {
    /// Sends frames to a socket, in order. If a frame can't be delivered, closes the socket, so
    /// that its client never misses a frame in between. Returns `false` if the socket is gone or
    /// was closed.
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

    /// Closes a socket and deletes it from the connections table, even if closing fails. A socket
    /// that could not be closed gets no more entries, and it is closed when its client sends the
    /// next message, such as a ping.
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
