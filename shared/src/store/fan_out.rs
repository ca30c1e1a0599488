//! The fan-out table: what is to be pushed by an invocation of its own. Its stream starts those
//! invocations.
//!
//! One part is up to which number the sockets of a feed with many of them are to be brought, and
//! were; another is which sockets were left behind ([`super::subscription`]).
//!
//! A wide feed has two items for each shard of its sockets. `DUE` is written by whoever appends;
//! its stream record starts the function that pushes. `DONE` is written by that function alone, as
//! it goes. Both only grow: a record that comes twice, late or after its successor asks for nothing
//! that is not asked for already, and a function that dies is followed by one that goes on where it
//! was.

use futures::future::try_join_all;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::connection::put;
use super::error::failed;
use super::row::{Entity, Key, take, to_item};
use super::transaction::n;
use super::{Store, Subscription, WriteOutcome, client, keys};
use crate::config::{ConfigError, required};
use crate::domain::feed::Feed;
use crate::error::{Error, Result};

/// Up to which number a shard's sockets are to be brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Due {
    /// Which feed.
    pub feed: Feed,
    /// Which of its shards.
    pub shard: u8,
    /// That number.
    pub last: u64,
}

impl Entity for Due {
    const ENTITY: &'static str = "fan_out_due";

    fn key(&self) -> Key {
        keys::fan_out_due(&self.feed, self.shard)
    }

    /// What its write is conditional on.
    fn version(&self) -> u64 {
        self.last
    }
}

/// Up to which number a shard's sockets were brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// Which feed.
    pub feed: Feed,
    /// Which of its shards.
    pub shard: u8,
    /// All of its sockets have what was for them up to this number.
    pub done: u64,
    /// The pass that is being made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass: Option<Pass>,
    /// Grows with each change.
    pub version: u64,
}

/// One pass over a shard's sockets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pass {
    /// The number that it brings them to.
    pub to: u64,
    /// The last socket that it has dealt with.
    pub after: String,
}

impl Entity for Done {
    const ENTITY: &'static str = "fan_out_done";

    fn key(&self) -> Key {
        keys::fan_out_done(&self.feed, self.shard)
    }

    fn version(&self) -> u64 {
        self.version
    }
}

/// A socket that was left behind in a feed, and is to be caught up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Late {
    /// Which feed.
    pub feed: Feed,
    /// Which socket.
    pub connection: String,
    /// What its subscription is held by: a socket that is left behind again is another request.
    pub hold: String,
    /// When its row may be deleted: with the socket's.
    pub ends_at: Timestamp,
}

impl Entity for Late {
    const ENTITY: &'static str = "late";

    fn key(&self) -> Key {
        keys::late(&self.connection, &self.feed)
    }

    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.ends_at)
    }
}

/// The table.
#[derive(Debug, Clone)]
pub struct FanOuts {
    pub(super) table: Store,
}

impl FanOuts {
    /// From `FAN_OUT_TABLE_NAME` and what Lambda sets.
    pub fn from_env() -> std::result::Result<Self, ConfigError> {
        Ok(Self { table: Store { client: client()?, table: required("FAN_OUT_TABLE_NAME")? } })
    }

    /// In a database of a test's own.
    pub fn new(client: aws_sdk_dynamodb::Client, table: &str) -> Self {
        Self { table: Store::new(client, table) }
    }

    /// Whether a feed's entries are pushed shard by shard. A feed that is wide stays so: were it
    /// pushed in both ways at once, sockets would get its entries in the wrong order.
    pub async fn is_wide(&self, feed: &Feed) -> Result<bool> {
        let due: Option<Due> = self.table.get(keys::fan_out_due(feed, 0)).await?;
        Ok(due.is_some())
    }

    /// Makes a feed wide, all of whose entries up to `done` are pushed. Nothing happens to it
    /// before [`FanOuts::ask`].
    pub async fn widen(&self, feed: &Feed, done: u64) -> Result<()> {
        let shards = 0..keys::feed_shards(feed);
        let rows = shards
            .map(|shard| put(&Done { feed: feed.clone(), shard, done, pass: None, version: 1 }));
        self.table.write_all(rows.collect::<Result<_>>()?).await
    }

    /// Asks that the sockets of all shards be brought to number `last`.
    pub async fn ask(&self, feed: &Feed, last: u64) -> Result<()> {
        // The first shard's item says that the feed is wide, so that whoever dies in the midst of
        // this leaves no half-wide feed behind.
        self.ask_shard(feed, 0, last).await?;
        try_join_all((1..keys::feed_shards(feed)).map(|shard| self.ask_shard(feed, shard, last)))
            .await
            .map(drop)
    }

    async fn ask_shard(&self, feed: &Feed, shard: u8, last: u64) -> Result<()> {
        let item = to_item(&Due { feed: feed.clone(), shard, last })?;
        let put = self.table.client.put_item().table_name(&self.table.table).set_item(Some(item));
        let put = put.condition_expression("attribute_not_exists(pk) OR version < :last");
        match put.expression_attribute_values(":last", n(last)).send().await {
            Ok(_) => Ok(()),
            // Asked for already, with this number or a higher one.
            Err(e)
                if e.as_service_error()
                    .is_some_and(|e| e.is_conditional_check_failed_exception()) =>
            {
                Ok(())
            }
            Err(e) => Err(failed(e)),
        }
    }

    /// Asks that a socket that was left behind be caught up. Asking again changes nothing, and so
    /// starts nothing.
    pub async fn ask_catch_up(&self, behind: &Subscription) -> Result<()> {
        let Subscription { feed, connection, hold, ends_at, .. } = behind.clone();
        let item = to_item(&Late { feed, connection, hold, ends_at })?;
        let put = self.table.client.put_item().table_name(&self.table.table).set_item(Some(item));
        put.send().await.map(drop).map_err(failed)
    }

    /// What is to be done for a shard and what was done; `None` for a feed that is not wide.
    pub async fn shard(&self, feed: &Feed, shard: u8) -> Result<Option<(Due, Done)>> {
        let (due, done) = (keys::fan_out_due(feed, shard), keys::fan_out_done(feed, shard));
        let mut found = self.table.get_items(vec![due.clone(), done.clone()]).await?;
        let Some(due) = take(&mut found, &due)? else { return Ok(None) };
        let done = take(&mut found, &done)?;
        Ok(Some((
            due,
            done.ok_or_else(|| Error::internal(format!("feed {feed} is due and not wide")))?,
        )))
    }

    /// Notes how far a shard has come; `false` when another invocation was faster.
    pub async fn note(&self, before: &Done, done: u64, pass: Option<Pass>) -> Result<Option<Done>> {
        let next = Done { done, pass, version: before.version + 1, ..before.clone() };
        Ok(matches!(self.table.replace(&next, before.version).await?, WriteOutcome::Written)
            .then_some(next))
    }
}

/// The socket and the feed that a record of the table's stream asks to catch up; `None` for any
/// other record.
pub fn asked_late(pk: &str, sk: &str) -> Option<(String, Feed)> {
    keys::parse_late(pk, sk)
}

/// The feed and the shard that a record of the table's stream asks for; `None` for any other
/// record.
pub fn asked(pk: &str, sk: &str) -> Option<(Feed, u8)> {
    keys::parse_fan_out_due(pk, sk)
}
