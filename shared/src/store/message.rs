//! Messages between an order's client and its worker. Sending one takes a single write.
//! `live-notify` reads that write from the table's stream and appends the message to the
//! recipient's feed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::cursor::{CursorKeys, Page, PageRequest};
use super::index::Index;
use super::keys;
use super::query::Query;
use super::row::{Entity, Key};
use super::table::{Store, WriteOutcome};
use crate::domain::ids::{MessageId, OrderId, UserId};
use crate::domain::order::Idempotency;
use crate::domain::text::MessageText;
use crate::domain::user::Person;
use crate::error::Result;
use crate::secrets::CachedSecret;

/// A message as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The message's id.
    pub id: MessageId,
    /// The order that it is about.
    pub order_id: OrderId,
    /// Who wrote it.
    pub from: Person,
    /// Who receives it.
    pub to: UserId,
    /// The worker who wrote or receives it. When an order is reassigned, the next worker may not
    /// read the messages of the previous one.
    pub worker: UserId,
    /// The message's text.
    pub text: MessageText,
    /// When it was sent.
    pub created_at: Timestamp,
    /// The idempotency key of the request that sent it, if it had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<Idempotency>,
}

impl Entity for Message {
    const ENTITY: &'static str = "message";

    fn key(&self) -> Key {
        keys::message(&self.order_id, &self.id)
    }

    fn indexes(&self) -> Vec<(Index, Key)> {
        let Self { id, order_id, worker, created_at, .. } = self;
        vec![
            (Index::Gsi2, keys::index::message(order_id, *created_at, id)),
            (Index::Gsi3, keys::index::message_with_worker(order_id, worker, *created_at, id)),
        ]
    }
}

/// Which of an order's messages to list.
#[derive(Debug, Clone, Copy)]
pub enum MessageScope<'a> {
    /// All of them, as the order's client sees them.
    Client,
    /// Those between the client and this worker.
    Worker(&'a UserId),
}

impl Store {
    /// Stores a new message. If the id is taken, returns a conflict with the message that has it.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    pub async fn send_message(&self, message: &Message) -> Result<WriteOutcome<Message>> {
        self.create(message).await
    }

    /// Returns a page of an order's messages, newest first. A message that was just sent may be
    /// missing, because indexes lag by some milliseconds.
    ///
    /// # Errors
    /// `invalid_cursor` if the cursor is not from this list; `database_unavailable` when DynamoDB
    /// is down or throttles, internal when it fails otherwise.
    pub async fn messages(
        &self,
        order: &OrderId,
        scope: MessageScope<'_>,
        page: &PageRequest,
        cursors: &CachedSecret<CursorKeys>,
    ) -> Result<Page<Message>> {
        let (index, partition) = match scope {
            MessageScope::Client => (Index::Gsi2, keys::index::messages_of(order)),
            MessageScope::Worker(worker) => {
                (Index::Gsi3, keys::index::messages_with_worker(order, worker))
            }
        };
        self.list(Query::newest(index, partition), page, cursors).await
    }
}
