//! Sessions: a sign-in and the refresh tokens that descend from it. Tokens are stored hashed and
//! used once; one that comes back ends the session.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::connection::put;
use super::error::unavailable;
use super::row::{Entity, Item, Key, take};
use super::{Account, Store, WriteOutcome, keys};
use crate::domain::ids::UserId;
use crate::error::Result;

/// How often the end of a session is tried that refreshes get in the way of.
const ATTEMPTS: usize = 5;

/// One sign-in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// Unique for its user.
    pub id: String,
    /// Whose.
    pub user_id: UserId,
    /// Hash of the refresh token that is valid now.
    pub token: String,
    /// Hash of the one before, which is good for a moment longer: the answer that carried its
    /// successor may have been lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// When `token` took over.
    pub rotated_at: Timestamp,
    /// [`Account::generation`] at the sign-in.
    #[serde(default)]
    pub generation: u64,
    /// When it ends, whatever happens.
    pub ends_at: Timestamp,
    /// Set when it was ended: by logout, or because a used token came back.
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

/// What is known of a caller at this moment: the account, and the sign-in that its token was given
/// out for.
#[derive(Debug, Clone, PartialEq)]
pub struct AuthState {
    /// `None` when there is no such user.
    pub account: Option<Account>,
    /// `None` when there is no such sign-in any more.
    pub session: Option<Session>,
}

/// A place that a user has signed in from: others' failures do not lock the user out there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// Who.
    pub user_id: UserId,
    /// Hash of the address.
    pub hash: String,
    /// When it is forgotten.
    pub until: Timestamp,
}

impl Entity for Source {
    const ENTITY: &'static str = "source";

    fn key(&self) -> Key {
        keys::source(&self.user_id, &self.hash)
    }

    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.until)
    }
}

impl AuthState {
    pub(super) fn take(found: &mut Vec<Item>, account: &Key, session: &Key) -> Result<Self> {
        Ok(Self { account: take(found, account)?, session: take(found, session)? })
    }

    /// Whether the sign-in goes on: neither ended by itself nor with all others of its user.
    pub fn is_signed_in(&self, now: Timestamp) -> bool {
        match (&self.account, &self.session) {
            (Some(account), Some(session)) => session.is_open(now) && account.admits(session),
            _ => false,
        }
    }
}

/// What presenting a refresh token means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presented {
    /// The current token.
    Current,
    /// The one before, within its grace: its answer was lost, or several requests carried it at
    /// once.
    Previous,
    /// One that was used before: stolen, or its thief's. The session must end.
    Reused,
    /// The session has ended.
    Ended,
}

impl Session {
    /// Whether it goes on: neither ended by anyone nor over.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && now < self.ends_at
    }

    /// What a token with this hash is, now.
    pub fn present(&self, hash: &str, now: Timestamp, grace: SignedDuration) -> Presented {
        if !self.is_open(now) {
            return Presented::Ended;
        }
        let in_grace = self.previous.as_deref() == Some(hash) && now < self.rotated_at + grace;
        match self.token == hash {
            true => Presented::Current,
            false if in_grace => Presented::Previous,
            false => Presented::Reused,
        }
    }

    /// The session with the token that follows on the current one.
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

    /// The session, ended.
    #[must_use]
    pub fn revoked(&self, now: Timestamp) -> Self {
        Self { revoked_at: Some(now), version: self.version + 1, ..self.clone() }
    }
}

impl Store {
    /// Stores a new session, and that its user signed in from there. Its id is random: nothing is
    /// there.
    pub async fn start_session(&self, session: &Session, source: &Source) -> Result<()> {
        self.write_all(vec![put(session)?, put(source)?]).await
    }

    /// Whether the user has signed in from there lately.
    pub async fn knows_source(&self, user: &UserId, hash: &str, now: Timestamp) -> Result<bool> {
        let source: Option<Source> = self.get(keys::source(user, hash)).await?;
        Ok(source.is_some_and(|source| now < source.until))
    }

    /// How the user of a sign-in stands now, in one read.
    pub async fn auth_state(&self, user: &UserId, session: &str) -> Result<AuthState> {
        let (account, session) = (keys::user(user), keys::session(user, session));
        let mut found = self.get_items(vec![account.clone(), session.clone()]).await?;
        AuthState::take(&mut found, &account, &session)
    }

    /// How the user of a sign-in stands now, and an object, in one round trip: what every write
    /// starts with.
    pub(super) async fn standing_and<T: Entity>(
        &self,
        user: &UserId,
        session: &str,
        object: Key,
    ) -> Result<(AuthState, Option<T>)> {
        let (account, session) = (keys::user(user), keys::session(user, session));
        let mut found =
            self.get_items(vec![account.clone(), session.clone(), object.clone()]).await?;
        let standing = AuthState::take(&mut found, &account, &session)?;
        Ok((standing, take(&mut found, &object)?))
    }

    /// Ends a session. One that is over, or was never there, stays so.
    pub async fn end_session(&self, user: &UserId, id: &str, now: Timestamp) -> Result<()> {
        let mut found: Option<Session> = self.get(keys::session(user, id)).await?;
        for _ in 0..ATTEMPTS {
            let Some(session) = found.filter(|session| session.is_open(now)) else { return Ok(()) };
            match self.replace(&session.revoked(now), session.version).await? {
                WriteOutcome::Written => return Ok(()),
                // A refresh was faster.
                WriteOutcome::Conflict(session) => found = session,
            }
        }
        Err(unavailable("a session is written by too many at once"))
    }

    /// Replaces a session, if it is still the one that was read; `false` when another request was
    /// faster.
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
    fn a_used_token_is_good_for_the_grace_and_then_ends_the_session() {
        let start = Timestamp::UNIX_EPOCH;
        let grace = SignedDuration::from_secs(10);
        let at = |s: i64| start + SignedDuration::from_secs(s);
        let second = session(start).rotated("t2".into(), at(5));
        assert_eq!(second.present("t2", at(6), grace), Presented::Current);
        assert_eq!(second.present("t1", at(14), grace), Presented::Previous);
        assert_eq!(second.present("t1", at(15), grace), Presented::Reused);
        assert_eq!(second.present("t0", at(6), grace), Presented::Reused);
        let third = second.rotated("t3".into(), at(7));
        assert_eq!(
            third.present("t1", at(8), grace),
            Presented::Reused,
            "its successor was used: no answer was lost"
        );
        assert_eq!(third.present("t2", at(8), grace), Presented::Previous);
        assert_eq!(third.present("t3", at(3600), grace), Presented::Ended);
        assert_eq!(third.revoked(at(8)).present("t3", at(9), grace), Presented::Ended);
    }
}
