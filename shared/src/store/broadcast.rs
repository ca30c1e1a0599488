//! Broadcasts: messages from an administrator to all users of a role. Sending one takes a single
//! write. `live-notify` reads that write from the table's stream and appends the broadcast to the
//! role's feed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::keys;
use super::row::{Entity, Key};
use super::table::{Store, WriteOutcome};
use crate::domain::ids::{BroadcastId, UserId};
use crate::domain::order::Idempotency;
use crate::domain::text::MessageText;
use crate::domain::user::Role;
use crate::error::Result;

/// A broadcast as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Broadcast {
    /// The broadcast's id.
    pub id: BroadcastId,
    /// The role that receives it.
    pub role: Role,
    /// The broadcast's text.
    pub text: MessageText,
    /// The administrator who sent it. Kept for the record, never shown.
    pub by: UserId,
    /// When it was sent.
    pub created_at: Timestamp,
    /// The idempotency key of the request that sent it, if it had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<Idempotency>,
}

impl Entity for Broadcast {
    const ENTITY: &'static str = "broadcast";

    fn key(&self) -> Key {
        keys::broadcast(&self.id)
    }
}

impl Store {
    /// Stores a new broadcast. If the id is taken, returns a conflict with the broadcast that has
    /// it.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    pub async fn create_broadcast(&self, broadcast: &Broadcast) -> Result<WriteOutcome<Broadcast>> {
        self.create(broadcast).await
    }
}
