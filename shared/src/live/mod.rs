//! Live feeds: entries reach those concerned without their asking, and nobody else.
//!
//! - [`ticket`]: the right to open one socket
//! - [`hello`]: what a client missed is replayed, and from then on pushed
//! - [`fan_out`]: what was appended to a feed goes to its sockets; [`catch_up`]: those that are
//!   slow get it apart
//! - [`close`]: sockets end with the sign-in, the account or the limit that they belong to
//! - [`frame`]: what goes over a socket; [`push`]: how it gets there
//!
//! A feed is stored ([`crate::store::Entry`]), and pushing is an optimisation of reading it. What a
//! socket was given of a feed is always all of it from where it started: a socket that can't be
//! given an entry is closed, and its client comes back and says what it has.

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
use push::{ApiGateway, Posted, Push, TimeoutPolicy};

/// Feeds, sockets, and the way to the sockets.
#[derive(Debug, Clone)]
pub struct Live<P = ApiGateway> {
    /// Feeds and accounts.
    pub store: Store,
    /// Sockets.
    pub connections: Connections,
    /// The way to the sockets.
    pub push: P,
}

impl Live {
    /// From `TABLE_NAME`, `CONNECTIONS_TABLE_NAME`, `PUSH_ENDPOINT` and what Lambda sets.
    pub fn from_env(patience: TimeoutPolicy) -> std::result::Result<Self, ConfigError> {
        let (store, connections) = (Store::from_env()?, Connections::from_env()?);
        Ok(Self { store, connections, push: ApiGateway::from_env(patience)? })
    }
}

impl<P: Push> Live<P> {
    /// Hands frames to a socket, in order; `false` when it is gone. One that does not take them is
    /// closed: what it holds is never missing something in between.
    ///
    /// # Errors
    /// When the database is unavailable; never for what a socket does.
    pub async fn send(&self, connection: &str, frames: &[&[u8]]) -> Result<bool> {
        for frame in frames {
            match self.push.post(connection, frame).await {
                Ok(Posted::Yes) => {}
                Ok(Posted::Gone) => {
                    self.connections.forget(connection).await?;
                    return Ok(false);
                }
                Err(error) => {
                    tracing::warn!(connection, error = %push::cause(&error), "socket {connection} takes nothing: it is closed");
                    self.end(connection).await?;
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Closes a socket and forgets it. One that can't be closed now is forgotten all the same, so
    /// that it delays nobody: it gets nothing any more, and is closed when its client next says
    /// something, as a ping.
    pub async fn end(&self, connection: &str) -> Result<()> {
        if let Err(error) = self.push.close(connection).await {
            tracing::warn!(connection, error = %push::cause(&error), "socket {connection} can't be closed: it is forgotten");
        }
        self.connections.forget(connection).await.map(drop)
    }
}
