//! Catch-up: sends a lagging socket the entries it has missed, in a separate invocation, while
//! pushes to other sockets continue.

use std::time::Instant;

use super::LiveService;
use super::push::{ApiGateway, Push, TimeoutPolicy};
use crate::config::ConfigError;
use crate::domain::feed::Feed;
use crate::error::{Result, catalogue};

/// Catches up lagging sockets.
#[derive(Debug, Clone)]
pub struct CatchUp<P = ApiGateway> {
    /// Access to feeds and sockets.
    pub live: LiveService<P>,
}

impl CatchUp {
    /// Reads the variables that [`LiveService::from_env`] reads.
    ///
    /// # Errors
    /// Fails if a variable is missing or invalid; the error names it.
    pub fn from_env() -> std::result::Result<Self, ConfigError> {
        Ok(Self { live: LiveService::from_env(TimeoutPolicy::Long)? })
    }
}

impl<P: Push> CatchUp<P> {
    /// Sends a socket the entries of a feed that it has missed, then makes it live again. Closes
    /// the socket if it is too slow even for that. Does nothing if the socket does not lag, so
    /// repeating this is safe.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    /// A failing socket is not an error.
    pub async fn catch_up(&self, feed: &Feed, connection: &str) -> Result<()> {
        let Some(subscription) = self.live.connections.subscription(feed, connection).await? else {
            return Ok(());
        };
        // A subscription of a live socket has `from`, and one that a hello replays has no `behind`.
        let (None, Some(behind)) = (subscription.from, subscription.behind) else { return Ok(()) };
        let last = subscription.skipped.unwrap_or(behind);
        match self.live.replay(&subscription, behind, last, Instant::now()).await {
            Err(error) if *error.code() == catalogue::REPLAY_UNFINISHED => {
                self.live.close_socket(connection).await
            }
            result => result,
        }
    }
}
