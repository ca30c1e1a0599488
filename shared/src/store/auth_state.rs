//! Reads a caller's authentication state: whether the user may still act and is still signed in.
//! Most requests also need one object, so the same batch read returns both.

use jiff::Timestamp;

use super::account::Account;
use super::keys;
use super::row::{Entity, Item, Key, take_item};
use super::session::Session;
use super::table::Store;
use crate::domain::ids::UserId;
use crate::error::Result;

/// A caller's account and session as stored now. They may have changed since the access token was
/// issued.
#[derive(Debug, Clone, PartialEq)]
pub struct AuthState {
    /// The account, or `None` if the user doesn't exist.
    pub account: Option<Account>,
    /// The session that the access token was issued in, or `None` if it no longer exists.
    pub session: Option<Session>,
}

impl AuthState {
    /// Takes the account and the session with these keys out of a batch read's result.
    pub(super) fn take_from(found: &mut Vec<Item>, account: &Key, session: &Key) -> Result<Self> {
        Ok(Self { account: take_item(found, account)?, session: take_item(found, session)? })
    }

    /// Whether the session is valid: it has not expired, and it was ended neither by itself nor
    /// together with the user's other sessions.
    pub fn is_signed_in(&self, now: Timestamp) -> bool {
        match (&self.account, &self.session) {
            (Some(account), Some(session)) => {
                session.is_open(now) && account.is_valid_session(session)
            }
            _ => false,
        }
    }
}

impl Store {
    /// Reads a caller's authentication state.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    pub async fn auth_state(&self, user: &UserId, session: &str) -> Result<AuthState> {
        let (account, session) = (keys::user(user), keys::session(user, session));
        let mut found = self.get_items(vec![account.clone(), session.clone()]).await?;
        AuthState::take_from(&mut found, &account, &session)
    }

    /// Reads a caller's authentication state and a user's account in one round trip.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    pub async fn auth_state_and_account(
        &self,
        user: &UserId,
        session: &str,
        id: &UserId,
    ) -> Result<(AuthState, Option<Account>)> {
        if user == id {
            let auth_state = self.auth_state(user, session).await?;
            let account = auth_state.account.clone();
            return Ok((auth_state, account));
        }
        self.auth_state_and(user, session, keys::user(id)).await
    }

    /// Reads a caller's authentication state and one object in one round trip. Most writes start
    /// with this.
    pub(super) async fn auth_state_and<T: Entity>(
        &self,
        user: &UserId,
        session: &str,
        object: Key,
    ) -> Result<(AuthState, Option<T>)> {
        let (account, session) = (keys::user(user), keys::session(user, session));
        let mut found =
            self.get_items(vec![account.clone(), session.clone(), object.clone()]).await?;
        let auth_state = AuthState::take_from(&mut found, &account, &session)?;
        Ok((auth_state, take_item(&mut found, &object)?))
    }
}
