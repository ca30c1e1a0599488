//! Feeds: numbered 1, 2, 3, ... without gaps, each event in each feed once, however often it is appended.
//!
//! An append is one transaction of three items: the proof that the event is in (`SEEN#`), the counter (`HEAD`), the entry. Whoever dies before it
//! has done nothing, whoever comes again finds the proof.

use aws_sdk_dynamodb::types::Update;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::row::{Entity, Key};
use super::transaction::{Committed, Transaction, check, n};
use super::{Query, Store, keys};
use crate::domain::feed::Feed;
use crate::error::{Error, Result};

/// How long entries are kept.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How often an append that loses the race for the next number tries the one after.
const ATTEMPTS: usize = 50;

/// One entry of a feed, in the shape that sockets and `GET /live/feed` show.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// What happened: `order.opened`, ...
    #[serde(rename = "type")]
    pub kind: String,
    /// Which feed it is in.
    pub feed: Feed,
    /// Its number there: 1, 2, 3, ...
    pub seq: u64,
    /// Unique for the event, the same in every feed.
    pub id: String,
    /// When it happened.
    pub at: Timestamp,
    /// The order's public shape, or the message.
    pub data: Value,
}

impl Entity for Entry {
    const ENTITY: &'static str = "entry";

    fn key(&self) -> Key {
        keys::feed_entry(&self.feed, self.seq)
    }

    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.at + KEPT)
    }
}

/// A feed's counter: the number of its last entry.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Head {
    feed: Feed,
    last: u64,
}

impl Entity for Head {
    const ENTITY: &'static str = "feed";

    fn key(&self) -> Key {
        keys::feed_head(&self.feed)
    }

    fn version(&self) -> u64 {
        self.last
    }
}

/// The proof that an event is in a feed.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Seen {
    feed: Feed,
    id: String,
    seq: u64,
    at: Timestamp,
}

impl Entity for Seen {
    const ENTITY: &'static str = "seen";

    fn key(&self) -> Key {
        keys::feed_seen(&self.feed, &self.id)
    }

    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.at + KEPT)
    }
}

/// An event on its way into a feed.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// Its type.
    pub kind: String,
    /// Which feed.
    pub feed: Feed,
    /// Unique for the event.
    pub id: String,
    /// When it happened.
    pub at: Timestamp,
    /// What it shows.
    pub data: Value,
}

impl Store {
    /// Appends an event to a feed and returns its number there: the one it has already, if it was appended before.
    pub async fn append(&self, draft: &Draft) -> Result<u64> {
        for _ in 0..ATTEMPTS {
            let (seen, head) = self
                .get_two::<Seen, Head>(keys::feed_seen(&draft.feed, &draft.id), keys::feed_head(&draft.feed))
                .await?;
            if let Some(seen) = seen {
                return Ok(seen.seq);
            }
            let last = head.as_ref().map_or(0, |head| head.last);
            if self.append_as(draft, last).await? {
                return Ok(last + 1);
            }
        }
        Err(super::error::unavailable(format!("feed {} is written by too many at once", draft.feed)))
    }

    async fn append_as(&self, draft: &Draft, last: u64) -> Result<bool> {
        let Draft { kind, feed, id, at, data } = draft.clone();
        let seq = last + 1;
        let seen = Seen { feed: feed.clone(), id: id.clone(), seq, at };
        let entry = Entry { kind, feed: feed.clone(), seq, id, at, data };
        let mut transaction = Transaction::default().create(self, &seen)?.create(self, &entry)?;
        transaction = match last {
            0 => transaction.create(self, &Head { feed, last: seq })?,
            _ => transaction.update(self.advance(&feed, last)?),
        };
        Ok(transaction.commit(&self.client).await? == Committed::Yes)
    }

    fn advance(&self, feed: &Feed, last: u64) -> Result<Update> {
        Update::builder()
            .table_name(&self.table)
            .set_key(Some(keys::feed_head(feed).into_item()))
            .update_expression("SET version = :next, doc.#last = :next")
            .condition_expression("version = :last")
            .expression_attribute_names("#last", "last")
            .expression_attribute_values(":last", n(last))
            .expression_attribute_values(":next", n(last + 1))
            .build()
            .map_err(Error::internal)
    }

    /// The number of a feed's last entry; 0 while it is empty.
    pub async fn feed_last(&self, feed: &Feed) -> Result<u64> {
        Ok(self.get::<Head>(keys::feed_head(feed)).await?.map_or(0, |head| head.last))
    }

    /// Up to `limit` entries of a feed after number `after`, in order.
    pub async fn feed_after(&self, feed: &Feed, after: u64, limit: usize) -> Result<Vec<Entry>> {
        let between = Some((keys::sequence(after.saturating_add(1)), keys::sequence(u64::MAX)));
        let page = self
            .query(&Query {
                index: None,
                partition: keys::entries(feed),
                between,
                status: None,
                forward: true,
                limit,
                start: None,
            })
            .await?;
        Ok(page.items)
    }

    /// A condition for another transaction: that this feed's last entry is still `last`.
    pub(crate) fn feed_is_at(&self, feed: &Feed, last: u64) -> Result<aws_sdk_dynamodb::types::ConditionCheck> {
        let check = check(self, keys::feed_head(feed));
        let check = match last {
            0 => check.condition_expression("attribute_not_exists(pk)"),
            _ => check.condition_expression("version = :last").expression_attribute_values(":last", n(last)),
        };
        check.build().map_err(Error::internal)
    }
}
