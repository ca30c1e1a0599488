//! The DynamoDB store: the only module that talks to the database.
//!
//! [`keys`] holds every key string of the system, [`row`] maps entities to items, and each entity
//! has a file with its reads and writes.
//!
//! A rule that two concurrent requests could break together is a condition of the write itself.
//! When the condition fails, the caller gets [`WriteOutcome::Conflict`] with the current item and
//! turns it into a domain error, so losing a race never becomes a 500.
//!
//! # Errors
//! Every function that calls DynamoDB can fail in two ways:
//!
//! - `database_unavailable` (503): a time-out, a throttle or a server error that outlasted the
//!   retries. The same call may succeed later.
//! - an internal error (500): DynamoDB rejected the request, or an item could not be written as, or
//!   read back into, its entity.

mod account;
mod account_write;
mod auth_state;
mod batch;
mod broadcast;
mod category;
mod connection;
pub mod cursor;
mod due;
mod error;
pub mod fan_out;
mod feed;
mod index;
pub mod keys;
mod message;
mod order;
mod query;
mod rate;
mod row;
mod service;
mod session;
mod subscription;
mod table;
#[cfg(test)]
pub(crate) mod testing;
mod transaction;
mod webhook;

pub use account::{Account, UserFilter, normalized_login};
pub use account_write::{AdminCondition, ChangeOutcome, RegisterOutcome};
pub use auth_state::AuthState;
pub use broadcast::Broadcast;
pub use category::CategoryCount;
pub use connection::{Connection, Connections, OpenSocket, Ticket};
pub use cursor::{CursorKeys, Page, PageRequest};
pub use fan_out::{FanOutTable, ShardProgress, ShardTarget, Sweep};
pub use feed::{Entry, FeedPage, Missed, NewEntry};
pub use index::Index;
pub use keys::StreamSubject;
pub use message::{Message, MessageScope};
pub use order::OrderScope;
pub use rate::{CountedAttempt, RateLimit};
pub use row::{Entity, Key, from_image};
pub use service::{ServiceFilter, StoredService};
pub use session::{KnownIpAddress, RefreshTokenStatus, Session};
pub use subscription::{GoLiveOutcome, SkipOutcome, Subscription, new_hold};
pub use table::{Store, WriteOutcome};
pub use webhook::{EventOutcome, EventResult, StripeEvent};
