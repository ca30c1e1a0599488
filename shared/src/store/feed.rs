//! Feeds: numbered 1, 2, 3, ... without gaps, each event in each feed once, however often it is
//! appended.
//!
//! An append is one transaction: the proof that the event is in (`SEEN#`), the entry, and the
//! counter (`HEAD`). Whoever dies before it has done nothing, whoever comes again finds the proof.

use std::collections::{HashMap, HashSet};

use aws_sdk_dynamodb::types::Update;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::query::SortKeys;
use super::row::{Entity, Key, from_item};
use super::transaction::{Committed, Transaction, backoff, n};
use super::{AuthState, Query, Store, keys};
use crate::domain::feed::{EntryKind, Feed};
use crate::domain::ids::{EntryId, UserId};
use crate::domain::schema::DateTime;
use crate::error::{Error, Result};

/// How long entries are kept.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Entries that one transaction appends: each takes two items of the hundred that a transaction may
/// have, and the counter takes one.
const AT_ONCE: usize = 49;
/// How often an append that loses the race for the next number tries the one after.
const ATTEMPTS: u32 = 50;
/// Reads of entries whose numbers are given out and that are not there, before they count as gone.
const READS: u32 = 4;

/// One entry of a feed, in the shape that sockets and `GET /live/feed` show.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// What happened: `order.opened`, ...
    #[serde(rename = "type")]
    pub kind: EntryKind,
    /// Which feed it is in.
    pub feed: Feed,
    /// Its number there: 1, 2, 3, ...
    pub seq: u64,
    /// Unique for what happened, the same in every feed.
    pub id: EntryId,
    /// When it happened.
    #[schemars(with = "DateTime")]
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

/// A part of a feed, as it is now.
#[derive(Debug, Clone, PartialEq)]
pub struct FeedPage {
    /// Entries in the order of their numbers.
    pub items: Vec<Entry>,
    /// Numbers among or after them whose entries are no longer kept.
    pub missed: Vec<Missed>,
    /// The number to go on after.
    pub next: u64,
}

/// Numbers of a feed, both included, whose entries are no longer kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Missed {
    /// The first.
    pub from: u64,
    /// The last.
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

/// The proof that an event is in a feed.
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

    /// It outlives its entry, and by far the 24 hours in which a stream can repeat a record.
    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.at + KEPT)
    }
}

/// An event on its way into a feed.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// Its type.
    pub kind: EntryKind,
    /// Unique for what happened.
    pub id: EntryId,
    /// When it happened.
    pub at: Timestamp,
    /// What it shows.
    pub data: Value,
}

impl Store {
    /// Appends events to a feed, in their order. Those that are in it already stay where they are.
    pub async fn append(&self, feed: &Feed, drafts: &[Draft]) -> Result<()> {
        for drafts in drafts.chunks(AT_ONCE) {
            self.append_some(feed, drafts).await?;
        }
        Ok(())
    }

    async fn append_some(&self, feed: &Feed, drafts: &[Draft]) -> Result<()> {
        for attempt in 0..ATTEMPTS {
            let (last, mut seen) = self.head_and_seen(feed, drafts).await?;
            // `insert` keeps one of those that came twice in this call, too.
            let new: Vec<&Draft> =
                drafts.iter().filter(|draft| seen.insert(draft.id.clone())).collect();
            if new.is_empty() || self.append_after(feed, last, &new).await? {
                return Ok(());
            }
            tokio::time::sleep(backoff(attempt)?).await;
        }
        Err(super::error::unavailable(format!("feed {feed} is written by too many at once")))
    }

    async fn head_and_seen(
        &self,
        feed: &Feed,
        drafts: &[Draft],
    ) -> Result<(u64, HashSet<EntryId>)> {
        let ids: HashSet<&EntryId> = drafts.iter().map(|draft| &draft.id).collect();
        let mut wanted: Vec<Key> = ids.into_iter().map(|id| keys::feed_seen(feed, id)).collect();
        let head = keys::feed_head(feed);
        wanted.push(head.clone());
        let (mut last, mut seen) = (0, HashSet::new());
        for item in self.get_items(wanted).await? {
            if head.names(&item) {
                last = from_item::<Head>(item)?.last;
            } else {
                seen.insert(from_item::<Seen>(item)?.id);
            }
        }
        Ok((last, seen))
    }

    /// Whether they got the numbers after `last`; `false` when another append was faster.
    async fn append_after(&self, feed: &Feed, last: u64, drafts: &[&Draft]) -> Result<bool> {
        let mut transaction = Transaction::default();
        let mut next = last;
        for draft in drafts {
            next += 1;
            let Draft { kind, id, at, data } = (*draft).clone();
            let seen = Seen { feed: feed.clone(), id: id.clone(), seq: next, at };
            let entry = Entry { kind, feed: feed.clone(), seq: next, id, at, data };
            transaction = transaction.create(self, &seen)?.create(self, &entry)?;
        }
        transaction = match last {
            0 => transaction.create(self, &Head { feed: feed.clone(), last: next })?,
            _ => transaction.update(self.advance(feed, last, next)?),
        };
        Ok(transaction.commit(&self.client).await? == Committed::Yes)
    }

    fn advance(&self, feed: &Feed, last: u64, next: u64) -> Result<Update> {
        Update::builder()
            .table_name(&self.table)
            .set_key(Some(keys::feed_head(feed).into_item()))
            .update_expression("SET version = :next, doc.#last = :next")
            .condition_expression("version = :last")
            .expression_attribute_names("#last", "last")
            .expression_attribute_values(":last", n(last))
            .expression_attribute_values(":next", n(next))
            .build()
            .map_err(Error::internal)
    }

    /// The numbers of these feeds' last entries; 0 for one that is empty. At most 100 feeds.
    pub async fn feed_heads(&self, feeds: &[Feed]) -> Result<HashMap<Feed, u64>> {
        let mut heads: HashMap<Feed, u64> = feeds.iter().map(|feed| (feed.clone(), 0)).collect();
        for item in self.get_items(feeds.iter().map(keys::feed_head).collect()).await? {
            let head: Head = from_item(item)?;
            heads.insert(head.feed, head.last);
        }
        Ok(heads)
    }

    /// How the user of a sign-in stands now, and the number of a feed's last entry (0 for one that
    /// is empty), in one round trip.
    pub async fn auth_state_and_feed_head(
        &self,
        user: &UserId,
        session: &str,
        feed: &Feed,
    ) -> Result<(AuthState, u64)> {
        let (standing, head) =
            self.standing_and::<Head>(user, session, keys::feed_head(feed)).await?;
        Ok((standing, head.map_or(0, |head| head.last)))
    }

    /// Up to `limit` entries of a feed after number `after`, in order, as they are now. Its numbers
    /// up to `last` are known to be given out ([`Store::feed_heads`]): those that are not there, or
    /// are older than 30 days, are named as missed.
    ///
    /// DynamoDB applies a transaction item by item: for a moment a reader may see the counter and
    /// not yet the entry. So what is not there is looked for again before it counts as gone; what
    /// TTL has deleted costs its reader that moment, too.
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
        let partition = keys::entries(feed);
        let query = Query { range, limit, ..Query::table(partition) };
        let mut read = 0;
        loop {
            let page = self.query::<Entry>(&query).await?;
            let mut items = page.items;
            let highest = items.last().map_or(after, |entry| entry.seq);
            // A page ends at the limit, or at 1 MB.
            let next = if page.next.is_some() { highest } else { highest.max(last) };
            read += 1;
            let there = u64::try_from(items.len()).unwrap_or(u64::MAX);
            if after.saturating_add(there) < next && read < READS {
                tokio::time::sleep(backoff(read + 2)?).await;
                continue;
            }
            items.retain(|entry| now < entry.at + KEPT);
            return Ok(FeedPage { missed: missed(&items, after, next), items, next });
        }
    }
}

/// The numbers from `after` (excluded) to `to` that these entries leave out.
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
