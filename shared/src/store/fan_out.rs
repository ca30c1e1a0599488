//! The fan-out table: requests for work that separate invocations do. Writing an item starts an
//! invocation, through the table's stream.
//!
//! There are two kinds of work: to push the entries of a wide feed (one with many sockets) to the
//! sockets of one shard, and to catch up a lagging socket ([`super::subscription`]).
//!
//! A wide feed has two items for each shard of its sockets. The function that delivers new entries
//! writes [`ShardTarget`], whose stream record starts the function that pushes. Only that function
//! writes [`ShardProgress`], as it advances. The numbers in both only grow, so a stream record that
//! is repeated, late or out of order has no effect, and after a crash the next invocation continues
//! where the last one stopped.

use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use futures::future::try_join_all;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::batch::put_request;
use super::error::{is_condition_failed, sdk_error};
use super::keys;
use super::row::{Entity, Key, number, take_item, to_item};
use super::subscription::Subscription;
use super::table::{Store, WriteOutcome};
use crate::config::ConfigError;
use crate::domain::feed::Feed;
use crate::error::{Error, Result};

/// The number up to which a shard's sockets should get a feed's entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardTarget {
    /// The feed.
    pub feed: Feed,
    /// The shard of its sockets.
    pub shard: u8,
    /// The number of the last entry to push.
    pub last: u64,
}

impl Entity for ShardTarget {
    const ENTITY: &'static str = "fan_out_due";

    fn key(&self) -> Key {
        keys::shard_target(&self.feed, self.shard)
    }

    /// The same as `last`, so that the condition of the write can compare it.
    fn version(&self) -> u64 {
        self.last
    }
}

/// The number up to which a shard's sockets have got a feed's entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardProgress {
    /// The feed.
    pub feed: Feed,
    /// The shard of its sockets.
    pub shard: u8,
    /// All sockets of the shard have got the entries up to this number.
    pub done: u64,
    /// The sweep that is in progress.
    #[serde(default, rename = "pass", skip_serializing_if = "Option::is_none")]
    pub sweep: Option<Sweep>,
    /// Grows with each change.
    pub version: u64,
}

/// One pass over all sockets of a shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sweep {
    /// The number up to which the sweep pushes entries.
    pub to: u64,
    /// The connection id of the last socket that the sweep has finished.
    pub after: String,
}

impl Entity for ShardProgress {
    const ENTITY: &'static str = "fan_out_done";

    fn key(&self) -> Key {
        keys::shard_progress(&self.feed, self.shard)
    }

    fn version(&self) -> u64 {
        self.version
    }
}

/// A socket that is too slow for a feed and has to be caught up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaggingSocket {
    /// The feed.
    pub feed: Feed,
    /// The socket's connection id.
    pub connection: String,
    /// The hold of its subscription. A socket that lags again gets a new hold, so this item changes
    /// and starts another catch-up.
    pub hold: String,
    /// When DynamoDB may delete it: at the same time as the socket.
    pub ends_at: Timestamp,
}

impl Entity for LaggingSocket {
    const ENTITY: &'static str = "late";

    fn key(&self) -> Key {
        keys::lagging_socket(&self.connection, &self.feed)
    }

    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.ends_at)
    }
}

/// The fan-out table.
#[derive(Debug, Clone)]
pub struct FanOutTable {
    pub(super) table: Store,
}

impl FanOutTable {
    /// Connects to the table named by `FAN_OUT_TABLE_NAME`, with the variables that Lambda sets.
    ///
    /// # Errors
    /// Fails if a variable is missing or invalid; the error names it.
    pub fn from_env() -> std::result::Result<Self, ConfigError> {
        Ok(Self { table: Store::with_table_from_env("FAN_OUT_TABLE_NAME")? })
    }

    /// Uses the table with this name.
    pub fn new(client: aws_sdk_dynamodb::Client, table: &str) -> Self {
        Self { table: Store::new(client, table) }
    }

    /// Whether a feed's entries are pushed shard by shard. A wide feed stays wide, because pushing
    /// some entries directly and others by shard could deliver them out of order.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    pub async fn is_wide(&self, feed: &Feed) -> Result<bool> {
        let target: Option<ShardTarget> = self.table.get(keys::shard_target(feed, 0)).await?;
        Ok(target.is_some())
    }

    /// Prepares a feed to become wide. All of its entries up to `done` must have been pushed. It
    /// becomes wide with the first [`FanOutTable::request_push`].
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    pub async fn prepare_wide(&self, feed: &Feed, done: u64) -> Result<()> {
        let progress = (0..keys::feed_shards(feed)).map(|shard| {
            let feed = feed.clone();
            put_request(&ShardProgress { feed, shard, done, sweep: None, version: 1 })
        });
        self.table.batch_write(progress.collect::<Result<_>>()?).await
    }

    /// Requests that the sockets of all shards get a feed's entries up to `last`.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    pub async fn request_push(&self, feed: &Feed, last: u64) -> Result<()> {
        // The item of shard 0 makes the feed wide, so it is written first. After a crash in
        // between, the next request writes the others.
        self.request_shard_push(feed, 0, last).await?;
        let others = 1..keys::feed_shards(feed);
        try_join_all(others.map(|shard| self.request_shard_push(feed, shard, last))).await.map(drop)
    }

    async fn request_shard_push(&self, feed: &Feed, shard: u8, last: u64) -> Result<()> {
        let target = ShardTarget { feed: feed.clone(), shard, last };
        let sent = self
            .put(&target)?
            .condition_expression("attribute_not_exists(pk) OR version < :last")
            .expression_attribute_values(":last", number(last))
            .send()
            .await;
        match sent {
            Ok(_) => Ok(()),
            // This number, or a higher one, was already requested.
            Err(e) if is_condition_failed(&e) => Ok(()),
            Err(e) => Err(sdk_error(e)),
        }
    }

    /// Requests the catch-up of a lagging socket. A repeated request writes the same item, so it
    /// creates no stream record and starts nothing.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    pub async fn request_catch_up(&self, lagging: &Subscription) -> Result<()> {
        let Subscription { feed, connection, hold, ends_at, .. } = lagging.clone();
        let socket = LaggingSocket { feed, connection, hold, ends_at };
        self.put(&socket)?.send().await.map(drop).map_err(sdk_error)
    }

    fn put<T: Entity>(&self, entity: &T) -> Result<PutItemFluentBuilder> {
        let put = self.table.client.put_item().table_name(&self.table.table);
        Ok(put.set_item(Some(to_item(entity)?)))
    }

    /// Reads a shard's target and progress. Returns `None` if the feed is not wide.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles; internal when it fails otherwise
    /// or a shard has a target but no progress.
    pub async fn shard(
        &self,
        feed: &Feed,
        shard: u8,
    ) -> Result<Option<(ShardTarget, ShardProgress)>> {
        let target_key = keys::shard_target(feed, shard);
        let progress_key = keys::shard_progress(feed, shard);
        let mut found =
            self.table.get_items(vec![target_key.clone(), progress_key.clone()]).await?;
        let Some(target) = take_item(&mut found, &target_key)? else { return Ok(None) };
        let progress = take_item(&mut found, &progress_key)?;
        Ok(Some((
            target,
            progress.ok_or_else(|| {
                Error::internal(format!("shard {shard} of feed {feed} has no progress"))
            })?,
        )))
    }

    /// Stores a shard's progress and returns it. Returns `None` if another invocation was faster.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    pub async fn save_progress(
        &self,
        before: &ShardProgress,
        done: u64,
        sweep: Option<Sweep>,
    ) -> Result<Option<ShardProgress>> {
        let next = ShardProgress { done, sweep, version: before.version + 1, ..before.clone() };
        Ok(matches!(self.table.replace(&next, before.version).await?, WriteOutcome::Written)
            .then_some(next))
    }
}

/// Returns the connection id and the feed of the catch-up that a record of the table's stream
/// requests, or `None` if the record doesn't request one.
pub fn parse_catch_up_job(pk: &str, sk: &str) -> Option<(String, Feed)> {
    keys::parse_lagging_socket(pk, sk)
}

/// Returns the feed and the shard of the push that a record of the table's stream requests, or
/// `None` if the record doesn't request one.
pub fn parse_shard_job(pk: &str, sk: &str) -> Option<(Feed, u8)> {
    keys::parse_shard_target(pk, sk)
}
