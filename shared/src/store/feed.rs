//! Feeds: logs whose entries are numbered 1, 2, 3, ... without gaps. A feed contains an event only
//! once, however often it is appended.
//!
//! An append is one transaction that writes a marker that the feed has the event (`SEEN#`), the
//! entry, and the counter (`HEAD`). A crash before the transaction leaves nothing behind. A retry
//! after it finds the marker and appends nothing.

use std::collections::{HashMap, HashSet};

use aws_sdk_dynamodb::types::Update;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::auth_state::AuthState;
use super::error::unavailable;
use super::keys;
use super::query::{Query, SortKeys};
use super::row::{Entity, Key, from_item, number};
use super::table::Store;
use super::transaction::{CommitOutcome, Transaction, backoff};
use crate::domain::feed::{EntryKind, Feed};
use crate::domain::ids::{EntryId, UserId};
use crate::domain::schema::DateTime;
use crate::error::{Error, Result};

/// How long entries are kept.
const RETENTION: SignedDuration = SignedDuration::from_hours(30 * 24);
/// The most entries that one transaction appends. Of the 100 items that a transaction may have,
/// each entry takes two and the counter takes one.
const APPEND_BATCH: usize = 49;
/// How many times an append is tried when others keep taking the next number.
const ATTEMPTS: u32 = 50;
/// How many times a range is read if entries with assigned numbers are missing from it. After that,
/// they count as deleted.
const READS: u32 = 4;

/// One entry of a feed, in the shape that sockets and `GET /live/feed` show.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// What happened.
    #[serde(rename = "type")]
    pub kind: EntryKind,
    /// The feed that contains it.
    pub feed: Feed,
    /// The entry's number in the feed: 1, 2, 3, ...
    pub seq: u64,
    /// Identifies the event. It is the same in every feed.
    pub id: EntryId,
    /// When it happened.
    #[schemars(with = "DateTime")]
    pub at: Timestamp,
    /// The order, the message, or the `id` and `text` of the broadcast.
    pub data: Value,
}

impl Entity for Entry {
    const ENTITY: &'static str = "entry";

    fn key(&self) -> Key {
        keys::feed_entry(&self.feed, self.seq)
    }

    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.at + RETENTION)
    }
}

/// A range of a feed's entries.
#[derive(Debug, Clone, PartialEq)]
pub struct FeedPage {
    /// Entries in the order of their numbers.
    pub items: Vec<Entry>,
    /// The numbers of this range whose entries are no longer stored.
    pub missed: Vec<Missed>,
    /// The number after which the next page starts.
    pub next: u64,
}

/// A range of numbers, both ends included, whose entries are no longer stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Missed {
    /// The first number.
    pub from: u64,
    /// The last number.
    pub to: u64,
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

/// The marker that a feed has an event.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Seen {
    feed: Feed,
    id: EntryId,
    seq: u64,
    at: Timestamp,
}

impl Entity for Seen {
    const ENTITY: &'static str = "seen";

    fn key(&self) -> Key {
        keys::feed_seen(&self.feed, &self.id)
    }

    /// The marker is kept as long as the entry, far longer than the 24 hours in which a stream can
    /// repeat a record.
    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.at + RETENTION)
    }
}

/// An event to be appended to a feed.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEntry {
    /// The event's type.
    pub kind: EntryKind,
    /// Identifies the event.
    pub id: EntryId,
    /// When it happened.
    pub at: Timestamp,
    /// The order's public shape, or the message.
    pub data: Value,
}

impl Store {
    /// Appends events to a feed, in this order, except those that the feed already has.
    ///
    /// # Errors
    /// `database_unavailable` when other appends keep taking the next number, or when DynamoDB is
    /// down or throttles; internal when it fails otherwise.
    pub async fn append(&self, feed: &Feed, entries: &[NewEntry]) -> Result<()> {
        for batch in entries.chunks(APPEND_BATCH) {
            self.append_batch(feed, batch).await?;
        }
        Ok(())
    }

    async fn append_batch(&self, feed: &Feed, entries: &[NewEntry]) -> Result<()> {
        for attempt in 0..ATTEMPTS {
            let (last, mut seen) = self.head_and_seen(feed, entries).await?;
            // `insert` also drops duplicates within this call.
            let new: Vec<&NewEntry> =
                entries.iter().filter(|entry| seen.insert(entry.id.clone())).collect();
            if new.is_empty() || self.append_after(feed, last, &new).await? {
                return Ok(());
            }
            tokio::time::sleep(backoff(attempt)?).await;
        }
        Err(unavailable(format!("other appends to feed {feed} kept taking the next number")))
    }

    /// Reads the number of the feed's last entry, and which of these events the feed already has.
    async fn head_and_seen(
        &self,
        feed: &Feed,
        entries: &[NewEntry],
    ) -> Result<(u64, HashSet<EntryId>)> {
        let ids: HashSet<&EntryId> = entries.iter().map(|entry| &entry.id).collect();
        let mut wanted: Vec<Key> = ids.into_iter().map(|id| keys::feed_seen(feed, id)).collect();
        let head = keys::feed_head(feed);
        wanted.push(head.clone());
        let (mut last, mut seen) = (0, HashSet::new());
        for item in self.get_items(wanted).await? {
            if head.is_key_of(&item) {
                last = from_item::<Head>(item)?.last;
            } else {
                seen.insert(from_item::<Seen>(item)?.id);
            }
        }
        Ok((last, seen))
    }

    /// Appends entries with the numbers after `last`. Returns `false` if another append was faster.
    async fn append_after(&self, feed: &Feed, last: u64, entries: &[&NewEntry]) -> Result<bool> {
        let mut transaction = Transaction::default();
        let mut next = last;
        for entry in entries {
            next += 1;
            let NewEntry { kind, id, at, data } = (*entry).clone();
            let seen = Seen { feed: feed.clone(), id: id.clone(), seq: next, at };
            let entry = Entry { kind, feed: feed.clone(), seq: next, id, at, data };
            transaction = transaction.create(self, &seen)?.create(self, &entry)?;
        }
        transaction = match last {
            0 => transaction.create(self, &Head { feed: feed.clone(), last: next })?,
            _ => transaction.update(self.advance(feed, last, next)?),
        };
        Ok(transaction.commit(&self.client).await? == CommitOutcome::Committed)
    }

    /// Creates the update that moves a feed's counter from `last` to `next`.
    fn advance(&self, feed: &Feed, last: u64, next: u64) -> Result<Update> {
        Update::builder()
            .table_name(&self.table)
            .set_key(Some(keys::feed_head(feed).into_item()))
            .update_expression("SET version = :next, doc.#last = :next")
            .condition_expression("version = :last")
            .expression_attribute_names("#last", "last")
            .expression_attribute_values(":last", number(last))
            .expression_attribute_values(":next", number(next))
            .build()
            .map_err(Error::internal)
    }

    /// Returns the number of each feed's last entry, 0 for an empty feed. Takes up to 100 feeds.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    pub async fn feed_heads(&self, feeds: &[Feed]) -> Result<HashMap<Feed, u64>> {
        let mut heads: HashMap<Feed, u64> = feeds.iter().map(|feed| (feed.clone(), 0)).collect();
        for item in self.get_items(feeds.iter().map(keys::feed_head).collect()).await? {
            let head: Head = from_item(item)?;
            heads.insert(head.feed, head.last);
        }
        Ok(heads)
    }

    /// Reads a caller's authentication state and the number of a feed's last entry (0 for an empty
    /// feed) in one round trip.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    pub async fn auth_state_and_feed_head(
        &self,
        user: &UserId,
        session: &str,
        feed: &Feed,
    ) -> Result<(AuthState, u64)> {
        let (auth_state, head) =
            self.auth_state_and::<Head>(user, session, keys::feed_head(feed)).await?;
        Ok((auth_state, head.map_or(0, |head| head.last)))
    }

    /// Returns up to `limit` entries of a feed after the number `after`, in order. Numbers up to
    /// `last` are known to be assigned ([`Store::feed_heads`]): if such an entry is missing or
    /// older than 30 days, its number is listed as missed.
    ///
    /// DynamoDB applies a transaction item by item, so a reader may briefly see the counter before
    /// the entry. Missing entries are therefore looked for several times before they count as
    /// deleted. Reading a range from which TTL has deleted entries takes that time too.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    pub async fn feed_after(
        &self,
        feed: &Feed,
        after: u64,
        last: u64,
        limit: usize,
        now: Timestamp,
    ) -> Result<FeedPage> {
        let range = Some(SortKeys::Between(
            keys::sequence(after.saturating_add(1)),
            keys::sequence(u64::MAX),
        ));
        let query = Query { range, limit, ..Query::table(keys::feed_entries(feed)) };
        let mut reads = 0;
        loop {
            let page = self.query::<Entry>(&query).await?;
            let mut items = page.items;
            let highest = items.last().map_or(after, |entry| entry.seq);
            // DynamoDB ends a page at the limit or at 1 MB. The numbers after such a page are not
            // missed.
            let next = if page.next.is_some() { highest } else { highest.max(last) };
            reads += 1;
            let found = u64::try_from(items.len()).unwrap_or(u64::MAX);
            if after.saturating_add(found) < next && reads < READS {
                tokio::time::sleep(backoff(reads + 2)?).await;
                continue;
            }
            items.retain(|entry| now < entry.at + RETENTION);
            return Ok(FeedPage { missed: missed(&items, after, next), items, next });
        }
    }
}

/// Returns the ranges of numbers after `after`, up to and including `to`, that none of these
/// entries has.
fn missed(items: &[Entry], after: u64, to: u64) -> Vec<Missed> {
    let mut missed = Vec::new();
    let mut expected = after.saturating_add(1);
    for seq in items.iter().map(|entry| entry.seq).chain([to.saturating_add(1)]) {
        if expected < seq {
            missed.push(Missed { from: expected, to: seq - 1 });
        }
        expected = seq.saturating_add(1);
    }
    missed
}
