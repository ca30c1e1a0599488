//! Subscriptions: what one socket gets of one feed, and from which number on.
//!
//! Two parties hand the entries of a feed to a socket: the replay of what the client missed, and
//! whoever pushes what is appended meanwhile. Both agree on the socket's own row, so that no entry
//! falls between them, none comes from both, and no item is shared by all sockets:
//!
//! ```text
//! held          put by hello before it reads the feed's last number; whoever has an entry to push only notes its number (`skipped`)
//! held, skipped the replay can't go live before it has come up to that number
//! live, from    the replay has come up to `from`; whoever has an entry above it pushes it
//! held, behind  a push took too long: as if there had been a hello after number `behind`, whose replay is the catch-up's
//! ```
//!
//! An entry whose push looked before the row was there was appended before hello read the feed: it
//! is replayed. One whose push found the row held is noted, and replayed. One whose push found it
//! live is pushed if it is above `from`, and was replayed if it is not.

use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure as OnFailure;
use data_encoding::BASE64URL_NOPAD;
use futures::{Stream, TryStreamExt, stream};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::connection::{Connection, Connections, put};
use super::error::failed;
use super::row::{Entity, Key, from_item};
use super::transaction::{n, s};
use super::{Query, keys};
use crate::auth::random;
use crate::domain::feed::Feed;
use crate::error::{Error, Result};

/// Subscriptions that one read brings.
const PAGE: usize = 1000;

/// One socket's place in one feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// What it is of.
    pub feed: Feed,
    /// Which socket.
    pub connection: String,
    /// Which replay it is held for: a second hello on the same socket takes over from the first,
    /// and a catch-up from the last of them.
    pub hold: String,
    /// Since when.
    pub held_at: Timestamp,
    /// The number above which entries are pushed; `None` while they are replayed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<u64>,
    /// The highest number that was not pushed because of the replay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<u64>,
    /// Left behind: the number of the last entry that the socket has taken. `None` when it is held
    /// for a hello.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behind: Option<u64>,
    /// When its row may be deleted.
    pub ends_at: Timestamp,
}

impl Subscription {
    /// A socket's place in a feed while a hello replays it.
    pub fn held(connection: &Connection, feed: Feed, hold: &str, now: Timestamp) -> Self {
        Self {
            feed,
            connection: connection.id.clone(),
            hold: hold.to_owned(),
            held_at: now,
            from: None,
            skipped: None,
            behind: None,
            ends_at: connection.ends_at(),
        }
    }
}

impl Entity for Subscription {
    const ENTITY: &'static str = "subscription";

    fn key(&self) -> Key {
        keys::subscription(&self.feed, &self.connection)
    }

    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.ends_at)
    }
}

/// What became of an entry that was not pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Skip {
    /// Whoever holds the subscription, which is like this now, will replay it.
    Noted(Box<Subscription>),
    /// The subscription has changed meanwhile: look again.
    Look(Box<Subscription>),
    /// The socket is gone.
    Gone,
}

/// What became of going live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Live {
    /// From now on entries are pushed.
    Yes,
    /// Entries up to this number were appended meanwhile and not pushed: replay them first.
    Behind(u64),
    /// The socket is closed, or another replay has taken over.
    Over,
}

impl Connections {
    /// Notes what a socket is about to get, so that whoever deletes the socket finds it; `false`
    /// when the socket is deleted already.
    pub async fn set_feeds(&self, id: &str, feeds: &[Feed]) -> Result<bool> {
        let feeds = serde_dynamo::to_attribute_value(feeds).map_err(Error::internal)?;
        let update = self.update(keys::connection(id));
        let update = update
            .update_expression("SET doc.feeds = :feeds")
            .expression_attribute_values(":feeds", feeds);
        match update.condition_expression("attribute_exists(pk)").send().await {
            Ok(_) => Ok(true),
            Err(e)
                if e.as_service_error()
                    .is_some_and(|e| e.is_conditional_check_failed_exception()) =>
            {
                Ok(false)
            }
            Err(e) => Err(failed(e)),
        }
    }

    /// Stores subscriptions over those that the socket has of these feeds.
    pub async fn hold(&self, subscriptions: &[Subscription]) -> Result<()> {
        self.table.write_all(subscriptions.iter().map(put).collect::<Result<_>>()?).await
    }

    /// Ends the replay at `from`, unless an entry above it was skipped.
    pub async fn go_live(&self, held: &Subscription, from: u64) -> Result<Live> {
        let update = self
            .update(held.key())
            .update_expression("SET doc.#from = :from REMOVE doc.behind")
            .condition_expression(
                "doc.#hold = :hold AND (attribute_not_exists(doc.skipped) OR doc.skipped <= :from)",
            )
            .expression_attribute_values(":from", n(from));
        match self.change(update, held).await? {
            Changed::Yes => Ok(Live::Yes),
            Changed::No(Some(Subscription { hold, skipped: Some(skipped), .. }))
                if hold == held.hold =>
            {
                Ok(Live::Behind(skipped))
            }
            Changed::No(_) => Ok(Live::Over),
        }
    }

    /// Leaves a live subscription behind: its socket has the entries up to `behind`, and is to be
    /// given those up to `last` by a catch-up. [`Skip::Noted`] when it is.
    pub async fn leave_behind(
        &self,
        live: &Subscription,
        behind: u64,
        last: u64,
        now: Timestamp,
    ) -> Result<Skip> {
        let next = Subscription {
            hold: hold()?,
            held_at: now,
            from: None,
            skipped: Some(last),
            behind: Some(behind),
            ..live.clone()
        };
        let update = self
            .update(live.key())
            .update_expression(
                "SET doc.#hold = :next, doc.held_at = :now, doc.behind = :behind, doc.skipped = :last REMOVE doc.#from",
            )
            .condition_expression("doc.#hold = :hold AND attribute_exists(doc.#from)")
            .expression_attribute_values(":next", s(&next.hold))
            .expression_attribute_values(":now", serde_dynamo::to_attribute_value(now).map_err(Error::internal)?)
            .expression_attribute_values(":behind", n(behind))
            .expression_attribute_values(":last", n(last));
        Ok(match self.change(update, live).await? {
            Changed::Yes => Skip::Noted(Box::new(next)),
            Changed::No(Some(now)) => Skip::Look(Box::new(now)),
            Changed::No(None) => Skip::Gone,
        })
    }

    /// Tells the replay that holds this subscription of entries up to `last`, which are not pushed.
    pub async fn skip(&self, held: &Subscription, last: u64) -> Result<Skip> {
        let update = self
            .update(held.key())
            .update_expression("SET doc.skipped = :last")
            .condition_expression(
                "doc.#hold = :hold AND attribute_not_exists(doc.#from) AND (attribute_not_exists(doc.skipped) OR doc.skipped < :last)",
            )
            .expression_attribute_values(":last", n(last));
        match self.change(update, held).await? {
            Changed::Yes => Ok(Skip::Noted(Box::new(held.clone()))),
            // Noted already, with this number or a higher one.
            Changed::No(Some(now)) if now.hold == held.hold && now.from.is_none() => {
                Ok(Skip::Noted(Box::new(now)))
            }
            Changed::No(Some(now)) => Ok(Skip::Look(Box::new(now))),
            Changed::No(None) => Ok(Skip::Gone),
        }
    }

    async fn change(
        &self,
        update: aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder,
        held: &Subscription,
    ) -> Result<Changed> {
        let sent = update
            .expression_attribute_names("#from", "from")
            .expression_attribute_names("#hold", "hold")
            .expression_attribute_values(":hold", s(&held.hold))
            .return_values_on_condition_check_failure(OnFailure::AllOld)
            .send()
            .await;
        let error = match sent {
            Ok(_) => return Ok(Changed::Yes),
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(aws_sdk_dynamodb::operation::update_item::UpdateItemError::ConditionalCheckFailedException(e)) => {
                Ok(Changed::No(e.item.clone().map(from_item).transpose()?))
            }
            _ => Err(failed(error)),
        }
    }

    /// A socket's place in a feed.
    pub async fn subscription(
        &self,
        feed: &Feed,
        connection: &str,
    ) -> Result<Option<Subscription>> {
        self.table.get(keys::subscription(feed, connection)).await
    }

    /// Everyone who gets a feed, as of now: all shards at once, page by page.
    pub fn subscribers(&self, feed: &Feed) -> impl Stream<Item = Result<Subscription>> + Send {
        let shards = (0..keys::feed_shards(feed))
            .map(|shard| self.subscribers_in(keys::subscriptions(feed, shard)));
        stream::select_all(shards.map(Box::pin))
    }

    /// The next of those in one shard, in the order of their connections, after this one; and
    /// whether there are more.
    pub async fn subscribers_after(
        &self,
        feed: &Feed,
        shard: u8,
        after: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<Subscription>, bool)> {
        let partition = keys::subscriptions(feed, shard);
        let start = after.map(|after| Key::new(partition.clone(), after).into_item());
        let query = Query { limit, start, ..Query::table(partition) };
        let page = self.table.query(&query).await?;
        Ok((page.items, page.next.is_some()))
    }

    fn subscribers_in(&self, partition: String) -> impl Stream<Item = Result<Subscription>> + Send {
        let query = Query { limit: PAGE, ..Query::table(partition) };
        let pages = stream::try_unfold(Some((self.clone(), query)), |next| async {
            let Some((connections, mut query)) = next else { return Ok(None) };
            let page = connections.table.query(&query).await?;
            query.start = page.next;
            let next = query.start.is_some().then_some((connections, query));
            Ok::<_, Error>(Some((stream::iter(page.items.into_iter().map(Ok)), next)))
        });
        pages.try_flatten()
    }

    /// Deletes one subscription.
    pub async fn unsubscribe(&self, feed: &Feed, connection: &str) -> Result<()> {
        self.delete(keys::subscription(feed, connection)).send().await.map(drop).map_err(failed)
    }
}

/// What a replay holds its subscriptions by.
pub fn hold() -> Result<String> {
    Ok(BASE64URL_NOPAD.encode(&random::<12>()?))
}

enum Changed {
    Yes,
    No(Option<Subscription>),
}
