//! Messages between an order's client and its worker. Each is one write; its stream record is what
//! reaches the other's feed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::row::{Entity, Key};
use super::{CursorKey, Index, Listed, PageRequest, Query, Store, WriteOutcome, keys};
use crate::domain::ids::{MessageId, OrderId, UserId};
use crate::domain::order::Idempotency;
use crate::domain::text::MessageText;
use crate::domain::user::Person;
use crate::error::Result;

/// A message as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Which.
    pub id: MessageId,
    /// About which order.
    pub order_id: OrderId,
    /// Who wrote it.
    pub from: Person,
    /// Whom it is for.
    pub to: UserId,
    /// The worker of the two. An order that changes hands does not hand over what was said.
    pub worker: UserId,
    /// What it says.
    pub text: MessageText,
    /// When.
    pub created_at: Timestamp,
    /// The request that sent it, if that had a key.
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
            (Index::Gsi2, keys::index::messages(order_id, *created_at, id)),
            (Index::Gsi3, keys::index::messages_with(order_id, worker, *created_at, id)),
        ]
    }
}

/// Whose view of an order's messages.
#[derive(Debug, Clone, Copy)]
pub enum MessagesOf<'a> {
    /// Its client's: all of them.
    Client,
    /// A worker's: its own with the client.
    Worker(&'a UserId),
}

impl Store {
    /// Stores a new message; the conflict is one that has its id already.
    pub async fn send_message(&self, message: &Message) -> Result<WriteOutcome<Message>> {
        self.create(message).await
    }

    /// An order's messages, newest first. One that was sent this instant may be missing: indexes
    /// follow in milliseconds.
    pub async fn messages(
        &self,
        order: &OrderId,
        of: MessagesOf<'_>,
        page: &PageRequest,
        cursors: &CursorKey,
    ) -> Result<Listed<Message>> {
        let (index, partition) = match of {
            MessagesOf::Client => (Index::Gsi2, keys::index::messages_of(order)),
            MessagesOf::Worker(worker) => {
                (Index::Gsi3, keys::index::messages_of_worker(order, worker))
            }
        };
        self.list(Query::newest(index, partition), page, cursors).await
    }
}
