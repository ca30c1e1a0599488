//! Subscriptions: a socket's place in a feed.
//!
//! A socket gets entries from two sides: a replay sends what its client missed, and a pusher sends
//! what is appended meanwhile. They coordinate through the subscription's item, so that the socket
//! gets every entry from exactly one of them. Each socket has its own item, so sockets don't
//! compete for one. The item is in one of these states:
//!
//! ```text
//! held           Created by a hello before it reads the feed's last number.
//!                A pusher only records the number of its entry in `skipped`.
//! held, skipped  The replay must reach that number before it can go live.
//! live, from     The replay has reached `from`. Pushers push the entries above it.
//! held, behind   A push took too long. The catch-up replays the entries after `behind`.
//! ```
//!
//! That is why no entry is lost or sent twice:
//!
//! - If the pusher looked before the item existed, the entry was appended before the hello read the
//!   feed, so the hello replays it.
//! - If the pusher found the item held, it recorded the entry's number, so the replay sends it.
//! - If the pusher found the item live, it pushes the entry if its number is above `from`.
//!   Otherwise the replay has already sent it.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use data_encoding::BASE64URL_NOPAD;
use futures::{Stream, TryStreamExt, stream};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::batch::put_request;
use super::connection::{Connection, Connections};
use super::error::{is_condition_failed, sdk_error};
use super::keys;
use super::query::Query;
use super::row::{Entity, Key, from_item, number, string};
use crate::auth::random;
use crate::domain::feed::Feed;
use crate::error::{Error, Result};

/// How many subscriptions one Query reads.
const PAGE: usize = 1000;

/// A socket's place in a feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// The feed.
    pub feed: Feed,
    /// The socket's connection id.
    pub connection: String,
    /// Identifies the replay that holds it. A second hello on the same socket takes over from the
    /// first, and a catch-up takes over from the last hello.
    pub hold: String,
    /// When the replay took hold of it.
    pub held_at: Timestamp,
    /// Pushers push the entries above this number. `None` while a replay holds the subscription.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<u64>,
    /// The highest number that pushers left to the replay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<u64>,
    /// The last number that a lagging socket has received. `None` unless a catch-up holds the
    /// subscription.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behind: Option<u64>,
    /// When DynamoDB may delete the subscription.
    pub ends_at: Timestamp,
}

impl Subscription {
    /// Creates a subscription held by the replay of a hello.
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

/// The outcome of leaving an entry to a replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SkipOutcome {
    /// The replay that holds the subscription will send it. Contains the current subscription.
    Recorded(Box<Subscription>),
    /// The subscription changed after it was read, so the pusher must decide again. Contains the
    /// current subscription.
    Changed(Box<Subscription>),
    /// The subscription was deleted.
    Gone,
}

/// The outcome of ending a replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GoLiveOutcome {
    /// From now on, entries are pushed.
    Live,
    /// Entries up to this number were appended and not pushed: replay them first.
    Behind(u64),
    /// The socket was closed, or another replay has taken over.
    Superseded,
}

impl Connections {
    /// Stores the feeds that a socket is about to subscribe to, so that deleting the socket also
    /// deletes its subscriptions. Returns `false` if the socket was already deleted.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    pub async fn set_feeds(&self, id: &str, feeds: &[Feed]) -> Result<bool> {
        let feeds = serde_dynamo::to_attribute_value(feeds).map_err(Error::internal)?;
        let update = self.update(keys::connection(id));
        let update = update
            .update_expression("SET doc.feeds = :feeds")
            .expression_attribute_values(":feeds", feeds);
        match update.condition_expression("attribute_exists(pk)").send().await {
            Ok(_) => Ok(true),
            Err(e) if is_condition_failed(&e) => Ok(false),
            Err(e) => Err(sdk_error(e)),
        }
    }

    /// Stores held subscriptions. They replace the socket's earlier subscriptions to the same
    /// feeds.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    pub async fn put_subscriptions(&self, subscriptions: &[Subscription]) -> Result<()> {
        self.table.batch_write(subscriptions.iter().map(put_request).collect::<Result<_>>()?).await
    }

    /// Ends a replay that has sent the entries up to `from`, unless a pusher left it an entry above
    /// that number.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    pub async fn go_live(&self, held: &Subscription, from: u64) -> Result<GoLiveOutcome> {
        let update = self
            .update(held.key())
            .update_expression("SET doc.#from = :from REMOVE doc.behind")
            .condition_expression(
                "doc.#hold = :hold AND \
                 (attribute_not_exists(doc.skipped) OR doc.skipped <= :from)",
            )
            .expression_attribute_values(":from", number(from));
        match self.send_update(update, held).await? {
            UpdateOutcome::Updated => Ok(GoLiveOutcome::Live),
            UpdateOutcome::Conflict(Some(Subscription {
                hold, skipped: Some(skipped), ..
            })) if hold == held.hold => Ok(GoLiveOutcome::Behind(skipped)),
            UpdateOutcome::Conflict(_) => Ok(GoLiveOutcome::Superseded),
        }
    }

    /// Stops pushing to a lagging socket. It has received the entries up to `behind`, and a
    /// catch-up will send it those up to `last`.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    pub async fn mark_lagging(
        &self,
        live: &Subscription,
        behind: u64,
        last: u64,
        now: Timestamp,
    ) -> Result<SkipOutcome> {
        let next = Subscription {
            hold: new_hold()?,
            held_at: now,
            from: None,
            skipped: Some(last),
            behind: Some(behind),
            ..live.clone()
        };
        let update = self
            .update(live.key())
            .update_expression(
                "SET doc.#hold = :next, doc.held_at = :now, doc.behind = :behind, \
                 doc.skipped = :last REMOVE doc.#from",
            )
            .condition_expression("doc.#hold = :hold AND attribute_exists(doc.#from)")
            .expression_attribute_values(":next", string(&next.hold))
            .expression_attribute_values(
                ":now",
                serde_dynamo::to_attribute_value(now).map_err(Error::internal)?,
            )
            .expression_attribute_values(":behind", number(behind))
            .expression_attribute_values(":last", number(last));
        Ok(match self.send_update(update, live).await? {
            UpdateOutcome::Updated => SkipOutcome::Recorded(Box::new(next)),
            UpdateOutcome::Conflict(Some(current)) => SkipOutcome::Changed(Box::new(current)),
            UpdateOutcome::Conflict(None) => SkipOutcome::Gone,
        })
    }

    /// Leaves the entries up to `last` to the replay that holds this subscription.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    pub async fn record_skipped(&self, held: &Subscription, last: u64) -> Result<SkipOutcome> {
        let update = self
            .update(held.key())
            .update_expression("SET doc.skipped = :last")
            .condition_expression(
                "doc.#hold = :hold AND attribute_not_exists(doc.#from) AND \
                 (attribute_not_exists(doc.skipped) OR doc.skipped < :last)",
            )
            .expression_attribute_values(":last", number(last));
        Ok(match self.send_update(update, held).await? {
            UpdateOutcome::Updated => SkipOutcome::Recorded(Box::new(held.clone())),
            // This number, or a higher one, was already recorded.
            UpdateOutcome::Conflict(Some(current))
                if current.hold == held.hold && current.from.is_none() =>
            {
                SkipOutcome::Recorded(Box::new(current))
            }
            UpdateOutcome::Conflict(Some(current)) => SkipOutcome::Changed(Box::new(current)),
            UpdateOutcome::Conflict(None) => SkipOutcome::Gone,
        })
    }

    /// Sends an update whose condition checks that the subscription still has this hold.
    async fn send_update(
        &self,
        update: UpdateItemFluentBuilder,
        held: &Subscription,
    ) -> Result<UpdateOutcome> {
        let sent = update
            .expression_attribute_names("#from", "from")
            .expression_attribute_names("#hold", "hold")
            .expression_attribute_values(":hold", string(&held.hold))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let error = match sent {
            Ok(_) => return Ok(UpdateOutcome::Updated),
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(e)) => {
                Ok(UpdateOutcome::Conflict(e.item.clone().map(from_item).transpose()?))
            }
            _ => Err(sdk_error(error)),
        }
    }

    /// Reads a socket's subscription to a feed.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    pub async fn subscription(
        &self,
        feed: &Feed,
        connection: &str,
    ) -> Result<Option<Subscription>> {
        self.table.get(keys::subscription(feed, connection)).await
    }

    /// Streams all subscriptions to a feed, reading all shards at once, page by page.
    pub fn subscribers(&self, feed: &Feed) -> impl Stream<Item = Result<Subscription>> + Send {
        let shards = (0..keys::feed_shards(feed))
            .map(|shard| self.subscribers_in(keys::subscriptions(feed, shard)));
        stream::select_all(shards.map(Box::pin))
    }

    /// Returns the subscriptions in one shard whose connection ids follow `after`, in order, and
    /// whether there are more.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
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

    /// Deletes a subscription.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    pub async fn unsubscribe(&self, feed: &Feed, connection: &str) -> Result<()> {
        self.delete(keys::subscription(feed, connection)).send().await.map(drop).map_err(sdk_error)
    }
}

/// Generates the id of a replay's hold on its subscriptions.
///
/// # Errors
/// Internal if the operating system provides no random bytes.
pub fn new_hold() -> Result<String> {
    Ok(BASE64URL_NOPAD.encode(&random::<12>()?))
}

/// The outcome of a conditional update.
enum UpdateOutcome {
    Updated,
    /// The condition failed. Contains the current subscription, or `None` if it was deleted.
    Conflict(Option<Subscription>),
}
