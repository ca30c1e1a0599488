//! Catch-up: a socket that did not take its entries in time is brought to where its feed is, by an
//! invocation of its own. Those who push to everyone go on meanwhile.

use std::time::Instant;

use super::Live;
use super::push::{ApiGateway, Push, TimeoutPolicy};
use crate::config::ConfigError;
use crate::domain::feed::Feed;
use crate::error::{Result, catalogue};

/// The way to sockets that were left behind.
#[derive(Debug, Clone)]
pub struct CatchUp<P = ApiGateway> {
    /// Feeds, sockets, and the way to the sockets.
    pub live: Live<P>,
}

impl CatchUp {
    /// From what [`Live::from_env`] reads.
    pub fn from_env() -> std::result::Result<Self, ConfigError> {
        Ok(Self { live: Live::from_env(TimeoutPolicy::Long)? })
    }
}

impl<P: Push> CatchUp<P> {
    /// Gives a socket what it was not given of a feed, and has it pushed to again. One that does
    /// not take that either is closed. One that is not behind (any more) is left alone, so that
    /// this is safe to repeat.
    ///
    /// # Errors
    /// When the database is unavailable; never for what a socket does.
    pub async fn catch_up(&self, feed: &Feed, connection: &str) -> Result<()> {
        let Some(held) = self.live.connections.subscription(feed, connection).await? else {
            return Ok(());
        };
        let (None, Some(behind)) = (held.from, held.behind) else { return Ok(()) };
        let last = held.skipped.unwrap_or(behind);
        match self.live.replay(&held, behind, last, Instant::now()).await {
            Err(error) if *error.code() == catalogue::REPLAY_UNFINISHED => {
                self.live.end(connection).await
            }
            done => done,
        }
    }
}
