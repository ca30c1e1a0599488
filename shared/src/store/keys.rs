//! Every key of the system. `docs/data-model.md` is this file in prose; a test below holds the
//! exact strings.
//!
//! Ids can hold no `#` (they are parsed to a fixed alphabet); names that may hold anything come
//! last in their key.

use jiff::Timestamp;

use super::row::Key;
use crate::domain::feed::Feed;
use crate::domain::ids::{
    BroadcastId, EntryId, MessageId, OrderId, ServiceId, StripeEventId, UserId,
};
use crate::domain::money::{Currency, Price};
use crate::domain::service::ServiceStatus;
use crate::domain::text::CategoryKey;
use crate::domain::user::{Role, UserStatus};

/// How many partitions the open orders of one category are spread over, and the due timers.
/// A partition takes 1000 writes a second; the pool of one category sees two writes an order.
pub const SHARDS: u8 = 4;

/// How many partitions the sockets of a role-wide feed are spread over. All of them reconnecting at
/// once is what fills a partition: 8 take 8 000 rows a second, which is more sockets than API
/// Gateway lets open in that time (docs/live.md). Changing it is a migration: rows written before
/// are not looked for where they are.
pub(super) const FEED_SHARDS: u8 = 8;

/// Sorts after every sort key that starts with a time.
pub(super) const LAST: &str = "~";

/// An item that does not exist: read to open the connection.
pub(super) fn warm_up() -> Key {
    Key::new("WARM", "UP")
}

pub(super) fn user(id: &UserId) -> Key {
    Key::new(format!("USER#{id}"), "USER")
}

/// The claim on a username; `key` is [`crate::domain::user::Username::key`].
pub(super) fn username(key: &str) -> Key {
    Key::new(format!("USERNAME#{key}"), "USERNAME")
}

/// The claim on an e-mail address.
pub(super) fn email(key: &str) -> Key {
    Key::new(format!("EMAIL#{key}"), "EMAIL")
}

/// A session lies in its user's partition, so that all of them are one Query.
pub(super) fn session(user: &UserId, id: &str) -> Key {
    Key::new(format!("USER#{user}"), format!("SESSION#{id}"))
}

/// A place that a user has signed in from, by its hash.
pub(super) fn source(user: &UserId, hash: &str) -> Key {
    Key::new(format!("USER#{user}"), format!("SOURCE#{hash}"))
}

/// How many active administrators there are.
pub(super) fn admins() -> Key {
    Key::new("ADMINS", "COUNT")
}

pub(super) fn service(id: &ServiceId) -> Key {
    Key::new(format!("SERVICE#{id}"), "SERVICE")
}

/// How many active services a category has. All in one partition: there are few, and they are read
/// together.
pub(super) fn category(category: &CategoryKey) -> Key {
    Key::new(categories(), category.as_str())
}

pub(super) fn categories() -> String {
    "CATEGORIES".to_owned()
}

pub(super) fn order(id: &OrderId) -> Key {
    Key::new(format!("ORDER#{id}"), "ORDER")
}

/// A verified webhook event of Stripe, under its own id.
pub(super) fn stripe_event(id: &str) -> Key {
    Key::new(format!("STRIPE#{id}"), "EVENT")
}

/// A message lies in a partition of its order: the stream keeps the order of one partition's
/// records, and so does the reader's feed.
pub(super) fn message(order: &OrderId, id: &MessageId) -> Key {
    Key::new(format!("MESSAGE#{order}"), id.as_str())
}

pub(super) fn broadcast(id: &BroadcastId) -> Key {
    Key::new(format!("BROADCAST#{id}"), "BROADCAST")
}

/// What someone did of a limited kind in one window of time, which is named by its start. In both
/// tables.
pub(super) fn rate(limit: &str, who: &str, window: i64) -> Key {
    Key::new(format!("RATE#{limit}#{who}"), window.to_string())
}

/// A feed's counter.
pub(super) fn feed_head(feed: &Feed) -> Key {
    Key::new(format!("FEED#{feed}"), "HEAD")
}

/// The proof that an event is in a feed already.
pub(super) fn feed_seen(feed: &Feed, entry: &EntryId) -> Key {
    Key::new(format!("FEED#{feed}"), format!("SEEN#{entry}"))
}

/// An entry of a feed. Entries have a partition of their own, so that the stream tells them from
/// counters by their prefix.
pub(super) fn feed_entry(feed: &Feed, seq: u64) -> Key {
    Key::new(entries(feed), sequence(seq))
}

pub(super) fn entries(feed: &Feed) -> String {
    format!("ENTRIES#{feed}")
}

/// The connections table: a ticket, under its hash.
pub(super) fn ticket(hash: &str) -> Key {
    Key::new(format!("TICKET#{hash}"), "TICKET")
}

/// The connections table: a socket.
pub(super) fn connection(id: &str) -> Key {
    Key::new(format!("CONN#{id}"), "CONN")
}

/// The connections table: a socket among its user's.
pub(super) fn socket_of(user: &UserId, connection: &str) -> Key {
    Key::new(sockets_of(user), connection)
}

pub(super) fn sockets_of(user: &UserId) -> String {
    format!("USER#{user}")
}

/// The connections table: what one socket gets of a feed. A role-wide feed's sockets are spread
/// over its shards.
pub(super) fn subscription(feed: &Feed, connection: &str) -> Key {
    Key::new(subscriptions(feed, spread(connection, feed_shards(feed))), connection)
}

pub(super) fn subscriptions(feed: &Feed, shard: u8) -> String {
    format!("FEED#{shard}#{feed}")
}

/// Over how many partitions a feed's sockets are spread: one for a user's few, [`FEED_SHARDS`] for
/// a role's or a category's many.
pub(super) const fn feed_shards(feed: &Feed) -> u8 {
    match feed {
        Feed::User(_) => 1,
        Feed::Role(_) | Feed::Category(_) | Feed::AnyCategory => FEED_SHARDS,
    }
}

/// The fan-out table: up to which number a shard of a feed's sockets is to be brought.
pub(super) fn fan_out_due(feed: &Feed, shard: u8) -> Key {
    Key::new(fan_out(feed, shard), DUE)
}

/// The fan-out table: up to which number they were brought.
pub(super) fn fan_out_done(feed: &Feed, shard: u8) -> Key {
    Key::new(fan_out(feed, shard), "DONE")
}

const DUE: &str = "DUE";

fn fan_out(feed: &Feed, shard: u8) -> String {
    format!("FAN#{shard}#{feed}")
}

/// The feed and the shard of [`fan_out_due`]; `None` for any other key.
pub(super) fn parse_fan_out_due(pk: &str, sk: &str) -> Option<(Feed, u8)> {
    let (shard, feed) = pk.strip_prefix("FAN#").filter(|_| sk == DUE)?.split_once('#')?;
    let shard = shard.parse().ok().filter(|shard| *shard < FEED_SHARDS)?;
    Some((Feed::parse(feed).ok()?, shard))
}

/// The fan-out table: a socket that was left behind in a feed.
pub(super) fn late(connection: &str, feed: &Feed) -> Key {
    Key::new(format!("{LATE}{connection}"), feed.to_string())
}

const LATE: &str = "LATE#";

/// The connection and the feed of [`late`]; `None` for any other key.
pub(super) fn parse_late(pk: &str, sk: &str) -> Option<(String, Feed)> {
    Some((pk.strip_prefix(LATE)?.to_owned(), Feed::parse(sk).ok()?))
}

/// A number that sorts as text.
pub(super) fn sequence(seq: u64) -> String {
    format!("{seq:020}")
}

/// A time that sorts as text: RFC 3339, UTC, always with microseconds.
pub(super) fn time(at: Timestamp) -> String {
    format!("{at:.6}")
}

/// What a record of the table's stream is about, where a function follows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// An order.
    Order(OrderId),
    /// A webhook event of Stripe.
    StripeEvent(StripeEventId),
}

impl Changed {
    /// From the record's partition key; `None` for everything else.
    pub fn parse(pk: &str) -> Option<Self> {
        match pk.split_once('#')? {
            ("ORDER", id) => id.parse().ok().map(Self::Order),
            ("STRIPE", id) => id.parse().ok().map(Self::StripeEvent),
            _ => None,
        }
    }
}

/// Index keys: [`super::Index`] says which index each is for.
pub(super) mod index {
    use super::*;

    fn newest(at: Timestamp, id: impl std::fmt::Display) -> String {
        format!("{}#{id}", time(at))
    }

    /// gsi1: users of a role, newest first.
    pub(crate) fn users(role: Role, at: Timestamp, id: &UserId) -> Key {
        Key::new(users_of(role), newest(at, id))
    }

    pub(crate) fn users_of(role: Role) -> String {
        format!("USERS#{}", role.as_str())
    }

    /// gsi2: all users, by name. The part of the name that is given narrows it down.
    pub(crate) fn user_by_name(key: &str) -> Key {
        Key::new(all_users(), key)
    }

    /// gsi3: all users, newest first.
    pub(crate) fn user(at: Timestamp, id: &UserId) -> Key {
        Key::new(all_users(), newest(at, id))
    }

    pub(crate) fn all_users() -> String {
        "USERS".to_owned()
    }

    /// gsi4: users who may not act, newest first. Sparse: active ones are not in it.
    pub(crate) fn barred(status: UserStatus, at: Timestamp, id: &UserId) -> Key {
        Key::new(users_barred(status), newest(at, id))
    }

    pub(crate) fn users_barred(status: UserStatus) -> String {
        format!("USERS#{status}")
    }

    /// gsi1: services, newest first.
    pub(crate) fn services(status: ServiceStatus, at: Timestamp, id: &ServiceId) -> Key {
        Key::new(services_of(status), newest(at, id))
    }

    /// gsi2: services of a category, newest first.
    pub(crate) fn services_in(
        status: ServiceStatus,
        category: &CategoryKey,
        at: Timestamp,
        id: &ServiceId,
    ) -> Key {
        Key::new(services_of_category(status, category), newest(at, id))
    }

    /// gsi3: services by their price in one currency.
    pub(crate) fn priced(
        status: ServiceStatus,
        price: Price,
        at: Timestamp,
        id: &ServiceId,
    ) -> Key {
        Key::new(priced_in(status, price.currency()), by_price(price, at, id))
    }

    /// gsi4: services of a category by their price in one currency.
    pub(crate) fn priced_of(
        status: ServiceStatus,
        price: Price,
        category: &CategoryKey,
        at: Timestamp,
        id: &ServiceId,
    ) -> Key {
        Key::new(priced_in_category(status, price.currency(), category), by_price(price, at, id))
    }

    pub(crate) fn services_of(status: ServiceStatus) -> String {
        match status {
            ServiceStatus::Active => "SERVICES",
            ServiceStatus::Deactivated => "DEACTIVATED",
        }
        .to_owned()
    }

    pub(crate) fn services_of_category(status: ServiceStatus, category: &CategoryKey) -> String {
        format!("{}#{category}", services_of(status))
    }

    pub(crate) fn priced_in(status: ServiceStatus, currency: Currency) -> String {
        format!("{}#{currency}", services_of(status))
    }

    pub(crate) fn priced_in_category(
        status: ServiceStatus,
        currency: Currency,
        category: &CategoryKey,
    ) -> String {
        format!("{}#{category}", priced_in(status, currency))
    }

    fn by_price(price: Price, at: Timestamp, id: &ServiceId) -> String {
        format!("{}#{}", amount(price.amount()), newest(at, id))
    }

    /// Sort keys of prices from and to, both included.
    pub(crate) fn prices(from: i64, to: i64) -> (String, String) {
        (amount(from), format!("{}{LAST}", amount(to)))
    }

    /// Minor units that sort as text: prices have eight digits at most.
    fn amount(amount: i64) -> String {
        format!("{amount:012}")
    }

    /// gsi2: the messages of an order, newest first.
    pub(crate) fn messages(order: &OrderId, at: Timestamp, id: &MessageId) -> Key {
        Key::new(messages_of(order), newest(at, id))
    }

    pub(crate) fn messages_of(order: &OrderId) -> String {
        format!("MESSAGES#{order}")
    }

    /// gsi3: those between its client and one of its workers, newest first.
    pub(crate) fn messages_with(
        order: &OrderId,
        worker: &UserId,
        at: Timestamp,
        id: &MessageId,
    ) -> Key {
        Key::new(messages_of_worker(order, worker), newest(at, id))
    }

    pub(crate) fn messages_of_worker(order: &OrderId, worker: &UserId) -> String {
        format!("MESSAGES#{order}#{worker}")
    }

    /// gsi1: all orders, newest first.
    pub(crate) fn orders(at: Timestamp, id: &OrderId) -> Key {
        Key::new(all_orders(), newest(at, id))
    }

    pub(crate) fn all_orders() -> String {
        "ORDERS".to_owned()
    }

    /// gsi2: a client's orders, newest first.
    pub(crate) fn client(client: &UserId, at: Timestamp, id: &OrderId) -> Key {
        Key::new(orders_of_client(client), newest(at, id))
    }

    pub(crate) fn orders_of_client(client: &UserId) -> String {
        format!("CLIENT#{client}")
    }

    /// gsi3: a worker's orders, newest first.
    pub(crate) fn worker(worker: &UserId, at: Timestamp, id: &OrderId) -> Key {
        Key::new(orders_of_worker(worker), newest(at, id))
    }

    pub(crate) fn orders_of_worker(worker: &UserId) -> String {
        format!("WORKER#{worker}")
    }

    /// gsi3: open orders, oldest first. Sparse: only what can be claimed is in it.
    pub(crate) fn open(placed: Timestamp, id: &OrderId) -> Key {
        Key::new(open_in(shard(id.as_str())), newest(placed, id))
    }

    pub(crate) fn open_in(shard: u8) -> String {
        format!("OPEN#{shard}")
    }

    /// gsi4: open orders of a category, oldest first. Sparse, too.
    pub(crate) fn open_of(category: &CategoryKey, placed: Timestamp, id: &OrderId) -> Key {
        Key::new(open_in_category(shard(id.as_str()), category), newest(placed, id))
    }

    pub(crate) fn open_in_category(shard: u8, category: &CategoryKey) -> String {
        format!("OPEN#{shard}#{category}")
    }

    /// gsi5: timers, by when they are due. Sparse.
    pub(crate) fn timer(due: Timestamp, id: &OrderId) -> Key {
        Key::new(timers(shard(id.as_str())), newest(due, id))
    }

    pub(crate) fn timers(shard: u8) -> String {
        format!("TIMER#{shard}")
    }

    /// gsi1: webhook events by what was done about them, newest first.
    pub(crate) fn stripe_event(state: &str, received: Timestamp, id: &str) -> Key {
        Key::new(stripe_events(state), newest(received, id))
    }

    pub(crate) fn stripe_events(state: &str) -> String {
        format!("STRIPE#{state}")
    }

    /// gsi6: orders that an administrator should look at, by when they last changed. Sparse, and
    /// few.
    pub(crate) fn attention(changed: Timestamp, id: &OrderId) -> Key {
        Key::new(orders_in_need(), newest(changed, id))
    }

    pub(crate) fn orders_in_need() -> String {
        "ATTENTION".to_owned()
    }

    /// gsi4: orders with something to be done, or under way, at Stripe; by when they last changed.
    /// Sparse, and none of them is in the pool.
    pub(crate) fn money(changed: Timestamp, id: &OrderId) -> Key {
        Key::new(money_in(shard(id.as_str())), newest(changed, id))
    }

    pub(crate) fn money_in(shard: u8) -> String {
        format!("MONEY#{shard}")
    }

    /// gsi5: webhook events that are stored and not applied, oldest first. Sparse.
    pub(crate) fn pending_event(received: Timestamp, id: &str) -> Key {
        Key::new(pending_events(shard(id)), newest(received, id))
    }

    pub(crate) fn pending_events(shard: u8) -> String {
        format!("PENDING#{shard}")
    }

    fn shard(id: &str) -> u8 {
        spread(id, SHARDS)
    }
}

/// The shard of an id: always the same one.
fn spread(id: &str, shards: u8) -> u8 {
    id.bytes().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte)) % shards
}
