//! Keys of the global secondary indexes. The comment of a function that returns an item's key
//! starts with the name of its index ([`Index`]). The functions that return a `String` return the
//! partition that a list reads.
//!
//! [`Index`]: crate::store::Index

use jiff::Timestamp;

use super::{LAST, SHARDS, shard_of, time};
use crate::domain::ids::{MessageId, OrderId, ServiceId, UserId};
use crate::domain::money::{Currency, Price};
use crate::domain::service::ServiceStatus;
use crate::domain::text::CategoryKey;
use crate::domain::user::{Role, UserStatus};
use crate::store::row::Key;

/// A sort key that sorts by time, and by id where times are equal.
fn time_then_id(at: Timestamp, id: impl std::fmt::Display) -> String {
    format!("{}#{id}", time(at))
}

/// gsi1: users of a role, newest first.
pub(crate) fn user_with_role(role: Role, at: Timestamp, id: &UserId) -> Key {
    Key::new(users_with_role(role), time_then_id(at, id))
}

pub(crate) fn users_with_role(role: Role) -> String {
    format!("USERS#{}", role.as_str())
}

/// gsi2: all users, by username. A prefix of the username narrows the list.
pub(crate) fn user_by_username(key: &str) -> Key {
    Key::new(all_users(), key)
}

/// gsi3: all users, newest first.
pub(crate) fn user(at: Timestamp, id: &UserId) -> Key {
    Key::new(all_users(), time_then_id(at, id))
}

pub(crate) fn all_users() -> String {
    "USERS".to_owned()
}

/// gsi4: users who may not sign in, newest first. Sparse: active users are not in it.
pub(crate) fn inactive_user(status: UserStatus, at: Timestamp, id: &UserId) -> Key {
    Key::new(inactive_users(status), time_then_id(at, id))
}

pub(crate) fn inactive_users(status: UserStatus) -> String {
    format!("USERS#{status}")
}

/// gsi1: services, newest first.
pub(crate) fn service(status: ServiceStatus, at: Timestamp, id: &ServiceId) -> Key {
    Key::new(services(status), time_then_id(at, id))
}

/// gsi2: services of a category, newest first.
pub(crate) fn service_in_category(
    status: ServiceStatus,
    category: &CategoryKey,
    at: Timestamp,
    id: &ServiceId,
) -> Key {
    Key::new(services_in_category(status, category), time_then_id(at, id))
}

/// gsi3: services by their price in one currency.
pub(crate) fn service_by_price(
    status: ServiceStatus,
    price: Price,
    at: Timestamp,
    id: &ServiceId,
) -> Key {
    Key::new(services_by_price(status, price.currency()), price_then_time(price, at, id))
}

/// gsi4: services of a category by their price in one currency.
pub(crate) fn service_in_category_by_price(
    status: ServiceStatus,
    price: Price,
    category: &CategoryKey,
    at: Timestamp,
    id: &ServiceId,
) -> Key {
    Key::new(
        services_in_category_by_price(status, price.currency(), category),
        price_then_time(price, at, id),
    )
}

pub(crate) fn services(status: ServiceStatus) -> String {
    match status {
        ServiceStatus::Active => "SERVICES",
        ServiceStatus::Deactivated => "DEACTIVATED",
    }
    .to_owned()
}

pub(crate) fn services_in_category(status: ServiceStatus, category: &CategoryKey) -> String {
    format!("{}#{category}", services(status))
}

pub(crate) fn services_by_price(status: ServiceStatus, currency: Currency) -> String {
    format!("{}#{currency}", services(status))
}

pub(crate) fn services_in_category_by_price(
    status: ServiceStatus,
    currency: Currency,
    category: &CategoryKey,
) -> String {
    format!("{}#{category}", services_by_price(status, currency))
}

fn price_then_time(price: Price, at: Timestamp, id: &ServiceId) -> String {
    format!("{}#{}", amount(price.amount()), time_then_id(at, id))
}

/// Returns the first and the last sort key of this price range, both ends included.
pub(crate) fn price_range(from: i64, to: i64) -> (String, String) {
    (amount(from), format!("{}{LAST}", amount(to)))
}

/// Formats minor units so that they sort as text. Prices have at most eight digits.
fn amount(amount: i64) -> String {
    format!("{amount:012}")
}

/// gsi2: the messages of an order, newest first.
pub(crate) fn message(order: &OrderId, at: Timestamp, id: &MessageId) -> Key {
    Key::new(messages_of(order), time_then_id(at, id))
}

pub(crate) fn messages_of(order: &OrderId) -> String {
    format!("MESSAGES#{order}")
}

/// gsi3: the messages between an order's client and one of its workers, newest first.
pub(crate) fn message_with_worker(
    order: &OrderId,
    worker: &UserId,
    at: Timestamp,
    id: &MessageId,
) -> Key {
    Key::new(messages_with_worker(order, worker), time_then_id(at, id))
}

pub(crate) fn messages_with_worker(order: &OrderId, worker: &UserId) -> String {
    format!("MESSAGES#{order}#{worker}")
}

/// gsi1: all orders, newest first.
pub(crate) fn order(at: Timestamp, id: &OrderId) -> Key {
    Key::new(all_orders(), time_then_id(at, id))
}

pub(crate) fn all_orders() -> String {
    "ORDERS".to_owned()
}

/// gsi2: a client's orders, newest first.
pub(crate) fn order_of_client(client: &UserId, at: Timestamp, id: &OrderId) -> Key {
    Key::new(orders_of_client(client), time_then_id(at, id))
}

pub(crate) fn orders_of_client(client: &UserId) -> String {
    format!("CLIENT#{client}")
}

/// gsi3: a worker's orders, newest first.
pub(crate) fn order_of_worker(worker: &UserId, at: Timestamp, id: &OrderId) -> Key {
    Key::new(orders_of_worker(worker), time_then_id(at, id))
}

pub(crate) fn orders_of_worker(worker: &UserId) -> String {
    format!("WORKER#{worker}")
}

/// gsi3: open orders, oldest first. Sparse: only orders that a worker can accept are in it.
pub(crate) fn open_order(placed: Timestamp, id: &OrderId) -> Key {
    Key::new(open_orders(shard(id.as_str())), time_then_id(placed, id))
}

pub(crate) fn open_orders(shard: u8) -> String {
    format!("OPEN#{shard}")
}

/// gsi4: open orders of a category, oldest first. Sparse.
pub(crate) fn open_order_in_category(
    category: &CategoryKey,
    placed: Timestamp,
    id: &OrderId,
) -> Key {
    Key::new(open_orders_in_category(shard(id.as_str()), category), time_then_id(placed, id))
}

pub(crate) fn open_orders_in_category(shard: u8, category: &CategoryKey) -> String {
    format!("OPEN#{shard}#{category}")
}

/// gsi5: timers, by when they are due. Sparse.
pub(crate) fn timer(due: Timestamp, id: &OrderId) -> Key {
    Key::new(timers(shard(id.as_str())), time_then_id(due, id))
}

pub(crate) fn timers(shard: u8) -> String {
    format!("TIMER#{shard}")
}

/// gsi1: webhook events by state, newest first.
pub(crate) fn stripe_event(state: &str, received: Timestamp, id: &str) -> Key {
    Key::new(stripe_events(state), time_then_id(received, id))
}

pub(crate) fn stripe_events(state: &str) -> String {
    format!("STRIPE#{state}")
}

/// gsi6: orders that an administrator should look at, by when they last changed. Sparse and short.
pub(crate) fn order_for_attention(changed: Timestamp, id: &OrderId) -> Key {
    Key::new(orders_for_attention(), time_then_id(changed, id))
}

pub(crate) fn orders_for_attention() -> String {
    "ATTENTION".to_owned()
}

/// gsi4: orders that wait for a payment step, by when they last changed. Sparse, and disjoint from
/// the open orders.
pub(crate) fn order_with_unsettled_money(changed: Timestamp, id: &OrderId) -> Key {
    Key::new(orders_with_unsettled_money(shard(id.as_str())), time_then_id(changed, id))
}

pub(crate) fn orders_with_unsettled_money(shard: u8) -> String {
    format!("MONEY#{shard}")
}

/// gsi5: pending webhook events, oldest first. Sparse.
pub(crate) fn pending_event(received: Timestamp, id: &str) -> Key {
    Key::new(pending_events(shard(id)), time_then_id(received, id))
}

pub(crate) fn pending_events(shard: u8) -> String {
    format!("PENDING#{shard}")
}

fn shard(id: &str) -> u8 {
    shard_of(id, SHARDS)
}
