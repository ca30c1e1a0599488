//! Broadcasts: a word of an administrator to everyone of a role. One write; its stream record is
//! what reaches the role's feed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::row::{Entity, Key};
use super::{Store, WriteOutcome, keys};
use crate::domain::ids::{BroadcastId, UserId};
use crate::domain::order::Idempotency;
use crate::domain::text::MessageText;
use crate::domain::user::Role;
use crate::error::Result;

/// A broadcast as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Broadcast {
    /// Which.
    pub id: BroadcastId,
    /// To whom.
    pub role: Role,
    /// What it says.
    pub text: MessageText,
    /// Who sent it: for the record, and not shown.
    pub by: UserId,
    /// When.
    pub created_at: Timestamp,
    /// The request that sent it, if that had a key.
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
    /// Stores a new broadcast; the conflict is one that has its id already.
    pub async fn broadcast(&self, broadcast: &Broadcast) -> Result<WriteOutcome<Broadcast>> {
        self.create(broadcast).await
    }
}
