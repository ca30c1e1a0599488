//! Builds every key string of the system: primary keys here, index keys in [`index`].
//! `docs/data-model.md` describes the keys, and `tests.rs` contains their exact strings.
//!
//! Ids can't contain `#`, because parsing restricts them to a fixed alphabet. Texts that may
//! contain any character come last in their key.

pub(super) mod index;
#[cfg(test)]
mod tests;

use jiff::Timestamp;

use super::row::Key;
use crate::domain::feed::Feed;
use crate::domain::ids::{
    BroadcastId, EntryId, MessageId, OrderId, ServiceId, StripeEventId, UserId,
};
use crate::domain::text::CategoryKey;

/// The number of partitions over which open orders, order timers, orders with unsettled money and
/// pending webhook events are spread. A partition takes 1,000 writes per second, and an order
/// causes two writes there.
pub const SHARDS: u8 = 4;

/// The number of partitions over which the sockets of a role's or a category's feed are spread. The
/// load peaks when all sockets reconnect at once: 8 partitions take 8,000 items per second, more
/// sockets than API Gateway opens in that time (`docs/live.md`). Changing the number requires a
/// migration, because reads would look for existing items in other partitions.
pub(super) const FEED_SHARDS: u8 = 8;

/// Sorts after every sort key that starts with a time.
pub(super) const LAST: &str = "~";

/// The key of an item that doesn't exist. Reading it opens the connection ([`super::Store::warm`]).
pub(super) fn warm_up() -> Key {
    Key::new("WARM", "UP")
}

pub(super) fn user(id: &UserId) -> Key {
    Key::new(format!("USER#{id}"), "USER")
}

/// The reservation of a username; `key` is [`crate::domain::user::Username::key`].
pub(super) fn username(key: &str) -> Key {
    Key::new(format!("USERNAME#{key}"), "USERNAME")
}

/// The reservation of an e-mail address.
pub(super) fn email(key: &str) -> Key {
    Key::new(format!("EMAIL#{key}"), "EMAIL")
}

/// A session. It is in its user's partition, so one Query finds all sessions of a user.
pub(super) fn session(user: &UserId, id: &str) -> Key {
    Key::new(format!("USER#{user}"), format!("SESSION#{id}"))
}

/// The hash of an IP address that a user has signed in from.
pub(super) fn known_ip_address(user: &UserId, hash: &str) -> Key {
    Key::new(format!("USER#{user}"), format!("SOURCE#{hash}"))
}

/// The number of active administrators.
pub(super) fn admins() -> Key {
    Key::new("ADMINS", "COUNT")
}

pub(super) fn service(id: &ServiceId) -> Key {
    Key::new(format!("SERVICE#{id}"), "SERVICE")
}

/// The number of active services in a category. All categories share a partition: there are few,
/// and they are read together.
pub(super) fn category(category: &CategoryKey) -> Key {
    Key::new(categories(), category.as_str())
}

pub(super) fn categories() -> String {
    "CATEGORIES".to_owned()
}

pub(super) fn order(id: &OrderId) -> Key {
    Key::new(format!("ORDER#{id}"), "ORDER")
}

/// A verified Stripe webhook event, by Stripe's id.
pub(super) fn stripe_event(id: &str) -> Key {
    Key::new(format!("STRIPE#{id}"), "EVENT")
}

/// A message. All messages of an order share a partition, because DynamoDB's stream keeps the
/// sequence of writes only within a partition. So the recipient's feed has the messages in the
/// sequence in which they were sent.
pub(super) fn message(order: &OrderId, id: &MessageId) -> Key {
    Key::new(format!("MESSAGE#{order}"), id.as_str())
}

pub(super) fn broadcast(id: &BroadcastId) -> Key {
    Key::new(format!("BROADCAST#{id}"), "BROADCAST")
}

/// A rate limit's counter for one caller in one time window, identified by the second in which it
/// starts. The main table and the connections table both have such counters.
pub(super) fn rate(limit: &str, caller: &str, window_start: i64) -> Key {
    Key::new(format!("RATE#{limit}#{caller}"), window_start.to_string())
}

/// A feed's counter.
pub(super) fn feed_head(feed: &Feed) -> Key {
    Key::new(format!("FEED#{feed}"), "HEAD")
}

/// The marker that a feed has an event.
pub(super) fn feed_seen(feed: &Feed, entry: &EntryId) -> Key {
    Key::new(format!("FEED#{feed}"), format!("SEEN#{entry}"))
}

/// An entry of a feed. Entries have a separate partition, so that stream filters can tell them from
/// counters by its prefix.
pub(super) fn feed_entry(feed: &Feed, seq: u64) -> Key {
    Key::new(feed_entries(feed), sequence(seq))
}

pub(super) fn feed_entries(feed: &Feed) -> String {
    format!("ENTRIES#{feed}")
}

/// A ticket, by its hash (connections table).
pub(super) fn ticket(hash: &str) -> Key {
    Key::new(format!("TICKET#{hash}"), "TICKET")
}

/// A socket (connections table).
pub(super) fn connection(id: &str) -> Key {
    Key::new(format!("CONN#{id}"), "CONN")
}

/// A socket in its user's list (connections table).
pub(super) fn socket_of(user: &UserId, connection: &str) -> Key {
    Key::new(sockets_of(user), connection)
}

pub(super) fn sockets_of(user: &UserId) -> String {
    format!("USER#{user}")
}

/// A socket's subscription to a feed (connections table). The subscriptions to a feed are spread
/// over its shards by connection id.
pub(super) fn subscription(feed: &Feed, connection: &str) -> Key {
    Key::new(subscriptions(feed, shard_of(connection, feed_shards(feed))), connection)
}

pub(super) fn subscriptions(feed: &Feed, shard: u8) -> String {
    format!("FEED#{shard}#{feed}")
}

/// Returns the number of partitions over which a feed's sockets are spread: one for the few sockets
/// of a user, [`FEED_SHARDS`] for the many of a role or a category.
pub(super) const fn feed_shards(feed: &Feed) -> u8 {
    match feed {
        Feed::User(_) => 1,
        Feed::Role(_) | Feed::Category(_) | Feed::AnyCategory => FEED_SHARDS,
    }
}

/// The number up to which a shard's sockets should get a feed's entries (fan-out table).
pub(super) fn shard_target(feed: &Feed, shard: u8) -> Key {
    Key::new(fan_out(feed, shard), DUE)
}

/// The number up to which a shard's sockets have got a feed's entries (fan-out table).
pub(super) fn shard_progress(feed: &Feed, shard: u8) -> Key {
    Key::new(fan_out(feed, shard), "DONE")
}

const DUE: &str = "DUE";

fn fan_out(feed: &Feed, shard: u8) -> String {
    format!("FAN#{shard}#{feed}")
}

/// Returns the feed and the shard in a key of [`shard_target`], or `None` for any other key.
pub(super) fn parse_shard_target(pk: &str, sk: &str) -> Option<(Feed, u8)> {
    let (shard, feed) = pk.strip_prefix("FAN#").filter(|_| sk == DUE)?.split_once('#')?;
    let shard = shard.parse().ok().filter(|shard| *shard < FEED_SHARDS)?;
    Some((Feed::parse(feed).ok()?, shard))
}

/// A socket that lags behind a feed (fan-out table).
pub(super) fn lagging_socket(connection: &str, feed: &Feed) -> Key {
    Key::new(format!("{LATE}{connection}"), feed.to_string())
}

const LATE: &str = "LATE#";

/// Returns the connection and the feed in a key of [`lagging_socket`], or `None` for any other key.
pub(super) fn parse_lagging_socket(pk: &str, sk: &str) -> Option<(String, Feed)> {
    Some((pk.strip_prefix(LATE)?.to_owned(), Feed::parse(sk).ok()?))
}

/// Formats a number so that it sorts as text.
pub(super) fn sequence(seq: u64) -> String {
    format!("{seq:020}")
}

/// Formats a time so that it sorts as text: RFC 3339, UTC, always with microseconds.
pub(super) fn time(at: Timestamp) -> String {
    format!("{at:.6}")
}

/// What a record of the main table's stream is about, if a function that reads the stream needs its
/// id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamSubject {
    /// An order.
    Order(OrderId),
    /// A Stripe webhook event.
    StripeEvent(StripeEventId),
}

impl StreamSubject {
    /// Parses the partition key of a record. Returns `None` if the record is about anything else.
    pub fn parse(pk: &str) -> Option<Self> {
        match pk.split_once('#')? {
            ("ORDER", id) => id.parse().ok().map(Self::Order),
            ("STRIPE", id) => id.parse().ok().map(Self::StripeEvent),
            _ => None,
        }
    }
}

/// Returns the shard of an id. An id always has the same shard.
fn shard_of(id: &str, shards: u8) -> u8 {
    id.bytes().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte)) % shards
}
