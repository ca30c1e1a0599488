//! Sessions. A sign-in creates a session and its first refresh token. A refresh token can be used
//! once, to get its successor; using it again ends the session. Only the hashes of tokens are
//! stored.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::batch::put_request;
use super::error::unavailable;
use super::keys;
use super::row::{Entity, Key};
use super::table::{Store, WriteOutcome};
use crate::domain::ids::UserId;
use crate::error::Result;

/// How many times ending a session is tried when refreshes keep changing it.
const ATTEMPTS: usize = 5;

/// A session: what a sign-in creates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// The session's id, unique among the user's sessions.
    pub id: String,
    /// The user who signed in.
    pub user_id: UserId,
    /// The hash of the current refresh token.
    pub token: String,
    /// The hash of the previous refresh token. It is accepted for a short grace period, because the
    /// response with its successor may have been lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// When `token` replaced `previous`.
    pub rotated_at: Timestamp,
    /// The account's `generation` at the sign-in.
    #[serde(default)]
    pub generation: u64,
    /// When it expires.
    pub ends_at: Timestamp,
    /// When it was ended early: because the user signed out, or because a token was used again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
    /// Grows with each change.
    pub version: u64,
}

impl Entity for Session {
    const ENTITY: &'static str = "session";

    fn key(&self) -> Key {
        keys::session(&self.user_id, &self.id)
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.ends_at)
    }
}

/// An IP address that a user has signed in from. Failed sign-ins from other IP addresses don't lock
/// the user out at this one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KnownIpAddress {
    /// The user.
    pub user_id: UserId,
    /// The hash of the IP address.
    pub hash: String,
    /// When it expires.
    pub until: Timestamp,
}

impl Entity for KnownIpAddress {
    // The name of the first builds: stored items have it.
    const ENTITY: &'static str = "source";

    fn key(&self) -> Key {
        keys::known_ip_address(&self.user_id, &self.hash)
    }

    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.until)
    }
}

/// How a refresh token relates to its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshTokenStatus {
    /// It is the current token.
    Current,
    /// It is the previous token, within the grace period: the response with its successor was lost,
    /// or several requests sent the token at once.
    Previous,
    /// It was used before. Its user and a thief may both have it, so the session must end.
    Reused,
    /// The session has already ended.
    SessionEnded,
}

impl Session {
    /// Whether the session has neither ended nor expired.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && now < self.ends_at
    }

    /// Classifies the refresh token with this hash.
    pub fn check_refresh_token(
        &self,
        hash: &str,
        now: Timestamp,
        grace: SignedDuration,
    ) -> RefreshTokenStatus {
        if !self.is_open(now) {
            return RefreshTokenStatus::SessionEnded;
        }
        let in_grace = self.previous.as_deref() == Some(hash) && now < self.rotated_at + grace;
        match self.token == hash {
            true => RefreshTokenStatus::Current,
            false if in_grace => RefreshTokenStatus::Previous,
            false => RefreshTokenStatus::Reused,
        }
    }

    /// Returns the session with a new current token.
    #[must_use]
    pub fn rotated(&self, successor: String, now: Timestamp) -> Self {
        let previous = Some(self.token.clone());
        Self {
            previous,
            rotated_at: now,
            token: successor,
            version: self.version + 1,
            ..self.clone()
        }
    }

    /// Returns the session as ended at `now`.
    #[must_use]
    pub fn revoked(&self, now: Timestamp) -> Self {
        Self { revoked_at: Some(now), version: self.version + 1, ..self.clone() }
    }
}

impl Store {
    /// Stores a new session and the IP address of its sign-in. The session's id is random, so no
    /// condition is needed.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    pub async fn start_session(
        &self,
        session: &Session,
        ip_address: &KnownIpAddress,
    ) -> Result<()> {
        self.batch_write(vec![put_request(session)?, put_request(ip_address)?]).await
    }

    /// Whether the user recently signed in from the IP address with this hash.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    pub async fn is_known_ip_address(
        &self,
        user: &UserId,
        hash: &str,
        now: Timestamp,
    ) -> Result<bool> {
        let known: Option<KnownIpAddress> = self.get(keys::known_ip_address(user, hash)).await?;
        Ok(known.is_some_and(|known| now < known.until))
    }

    /// Ends a session. Does nothing if it has already ended or doesn't exist.
    ///
    /// # Errors
    /// `database_unavailable` when refreshes keep changing the session, or when DynamoDB is down or
    /// throttles; internal when it fails otherwise.
    pub async fn end_session(&self, user: &UserId, id: &str, now: Timestamp) -> Result<()> {
        let mut found: Option<Session> = self.get(keys::session(user, id)).await?;
        for _ in 0..ATTEMPTS {
            let Some(session) = found.filter(|session| session.is_open(now)) else { return Ok(()) };
            match self.replace(&session.revoked(now), session.version).await? {
                WriteOutcome::Written => return Ok(()),
                // A refresh was faster: try again with what it stored.
                WriteOutcome::Conflict(session) => found = session,
            }
        }
        Err(unavailable("refreshes kept changing the session"))
    }

    /// Replaces a session. Returns `false` if another request changed it after it was read.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    pub async fn update_session(&self, session: &Session, read: &Session) -> Result<bool> {
        Ok(matches!(self.replace(session, read.version).await?, WriteOutcome::Written))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(now: Timestamp) -> Session {
        Session {
            id: "s".into(),
            user_id: UserId::derived(&["u"]),
            token: "t1".into(),
            previous: None,
            rotated_at: now,
            generation: 0,
            ends_at: now + SignedDuration::from_hours(1),
            revoked_at: None,
            version: 1,
        }
    }

    #[test]
    fn a_previous_token_is_valid_for_the_grace_period_and_then_ends_the_session() {
        let start = Timestamp::UNIX_EPOCH;
        let grace = SignedDuration::from_secs(10);
        let at = |s: i64| start + SignedDuration::from_secs(s);
        let second = session(start).rotated("t2".into(), at(5));
        assert_eq!(second.check_refresh_token("t2", at(6), grace), RefreshTokenStatus::Current);
        assert_eq!(second.check_refresh_token("t1", at(14), grace), RefreshTokenStatus::Previous);
        assert_eq!(second.check_refresh_token("t1", at(15), grace), RefreshTokenStatus::Reused);
        assert_eq!(second.check_refresh_token("t0", at(6), grace), RefreshTokenStatus::Reused);
        let third = second.rotated("t3".into(), at(7));
        assert_eq!(
            third.check_refresh_token("t1", at(8), grace),
            RefreshTokenStatus::Reused,
            "its successor was used, so no response was lost"
        );
        assert_eq!(third.check_refresh_token("t2", at(8), grace), RefreshTokenStatus::Previous);
        assert_eq!(
            third.check_refresh_token("t3", at(3600), grace),
            RefreshTokenStatus::SessionEnded
        );
        assert_eq!(
            third.revoked(at(8)).check_refresh_token("t3", at(9), grace),
            RefreshTokenStatus::SessionEnded
        );
    }
}
