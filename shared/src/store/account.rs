//! Accounts: a user, the hash of their password, and which of their sessions are still valid.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::cursor::{CursorKeys, Page, PageRequest};
use super::index::Index;
use super::keys;
use super::query::{Filter, Query, SortKeys};
use super::row::{Entity, Key};
use super::session::Session;
use super::table::Store;
use crate::domain::ids::UserId;
use crate::domain::order::Idempotency;
use crate::domain::user::{Email, Role, User, UserStatus, Username};
use crate::error::Result;
use crate::secrets::CachedSecret;

/// A user as stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Account {
    /// The user's public profile.
    #[serde(flatten)]
    pub user: User,
    /// The password's hash as a PHC string. It is stored beside the item's attribute `doc`, the
    /// only one that indexes contain.
    pub password: String,
    /// The idempotency key of the request that created the account, if the request had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<Idempotency>,
    /// Grows by one whenever all sessions are ended. A session stores the generation that was read
    /// before the password was checked. So if a sign-in is under way while all sessions are ended,
    /// the session that it creates is not valid either.
    #[serde(default)]
    pub generation: u64,
    /// The id of the session that stayed valid when all others were ended: the session that changed
    /// the password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_session: Option<String>,
}

impl Account {
    /// Creates an account.
    pub fn new(user: User, password: String, created_by: Option<Idempotency>) -> Self {
        Self { user, password, created_by, generation: 0, kept_session: None }
    }

    /// Whether this session is valid: its sign-in began after all sessions were last ended, or it
    /// is the one that stayed valid then.
    pub fn is_valid_session(&self, session: &Session) -> bool {
        session.generation == self.generation || self.kept_session.as_ref() == Some(&session.id)
    }

    /// Returns the account with all sessions ended except `session_to_keep`.
    #[must_use]
    pub fn with_sessions_ended(&self, session_to_keep: Option<&str>) -> Self {
        let generation = self.generation + 1;
        let kept_session = session_to_keep.map(str::to_owned);
        Self { generation, kept_session, ..self.next_version() }
    }

    /// Returns the account with a new password. Only the session that changed it stays valid.
    #[must_use]
    pub fn with_password(&self, hash: String, session_to_keep: &str) -> Self {
        Self { password: hash, ..self.with_sessions_ended(Some(session_to_keep)) }
    }

    /// Returns the account with a new hash of the same password.
    #[must_use]
    pub fn rehashed(&self, hash: String) -> Self {
        Self { password: hash, ..self.next_version() }
    }

    /// Returns the account with a changed user, whose version the caller has already increased.
    /// Suspending or deactivating a user ends all sessions, and they stay ended when the user is
    /// reactivated.
    #[must_use]
    pub fn with_user(&self, user: User) -> Self {
        match self.user.is_active() && !user.is_active() {
            true => Self { user, ..self.with_sessions_ended(None) },
            false => Self { user, ..self.clone() },
        }
    }

    /// Returns the account with the next version number, for a change outside the public profile.
    fn next_version(&self) -> Self {
        let mut next = self.clone();
        next.user.version += 1;
        next
    }

    /// Whether this is an active administrator. There must always be at least one.
    pub(super) fn is_active_admin(&self) -> bool {
        self.user.role == Role::Admin && self.user.is_active()
    }
}

impl Entity for Account {
    const ENTITY: &'static str = "user";
    const UNPROJECTED_FIELDS: &'static [&'static str] =
        &["password", "created_by", "generation", "kept_session"];

    fn key(&self) -> Key {
        keys::user(&self.user.id)
    }

    fn indexes(&self) -> Vec<(Index, Key)> {
        let User { id, username, role, status, created_at, .. } = &self.user;
        let mut indexes = vec![
            (Index::Gsi1, keys::index::user_with_role(*role, *created_at, id)),
            (Index::Gsi2, keys::index::user_by_username(&username.key())),
            (Index::Gsi3, keys::index::user(*created_at, id)),
        ];
        if *status != UserStatus::Active {
            indexes.push((Index::Gsi4, keys::index::inactive_user(*status, *created_at, id)));
        }
        indexes
    }

    fn version(&self) -> u64 {
        self.user.version
    }
}

/// An account as read from an index, which contains only the attribute `doc`. It is never written.
#[derive(Debug, Serialize, Deserialize)]
struct ProjectedAccount {
    #[serde(flatten)]
    user: User,
}

impl Entity for ProjectedAccount {
    const ENTITY: &'static str = Account::ENTITY;

    fn key(&self) -> Key {
        keys::user(&self.user.id)
    }
}

/// Reserves a username or an e-mail address for one user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct LoginReservation {
    /// Made from the username or the e-mail address. It is set only to write the reservation, and
    /// is empty in one that was read.
    #[serde(skip, default = "empty_key")]
    pub(super) key: Key,
    pub(super) user_id: UserId,
    pub(super) at: Timestamp,
}

fn empty_key() -> Key {
    Key::new("", "")
}

impl Entity for LoginReservation {
    // The name of the first builds: stored items have it.
    const ENTITY: &'static str = "claim";

    fn key(&self) -> Key {
        self.key.clone()
    }
}

/// Which users to list. They are sorted by username if `username_prefix` is set, otherwise newest
/// first.
#[derive(Debug, Clone, Default)]
pub struct UserFilter {
    /// Only users with this role.
    pub role: Option<Role>,
    /// Only users with this status.
    pub status: Option<UserStatus>,
    /// Only users whose username starts with this, ignoring case.
    pub username_prefix: Option<String>,
}

impl UserFilter {
    /// Returns the query that reads the fewest users besides the requested ones: a range of
    /// usernames, or else the smallest index partition that contains all requested users.
    fn query(&self) -> Query {
        let inactive = self.status.filter(|status| *status != UserStatus::Active);
        let role = self.role.map(|role| Filter::Is("role", role.to_string()));
        let status = self.status.map(|status| Filter::Is("status", status.to_string()));
        match (&self.username_prefix, inactive, self.role) {
            (Some(prefix), ..) => {
                let from = prefix.to_ascii_lowercase();
                let range = Some(SortKeys::Between(from.clone(), format!("{from}{}", keys::LAST)));
                let filters = role.into_iter().chain(status).collect();
                Query { range, filters, ..Query::oldest(Index::Gsi2, keys::index::all_users()) }
            }
            (None, Some(status), _) => {
                let filters = role.into_iter().collect();
                Query { filters, ..Query::newest(Index::Gsi4, keys::index::inactive_users(status)) }
            }
            (None, None, Some(role)) => {
                let filters = status.into_iter().collect();
                Query { filters, ..Query::newest(Index::Gsi1, keys::index::users_with_role(role)) }
            }
            (None, None, None) => {
                let filters = status.into_iter().collect();
                Query { filters, ..Query::newest(Index::Gsi3, keys::index::all_users()) }
            }
        }
    }
}

impl Store {
    /// Reads a user's account.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    pub async fn account(&self, id: &UserId) -> Result<Option<Account>> {
        self.get(keys::user(id)).await
    }

    /// Finds the account for a login: a username, or an e-mail address if it contains `@`.
    ///
    /// This always reads two items, the login's reservation and the account, so response times
    /// don't reveal whether a user exists.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    pub async fn account_by_login(&self, login: &str) -> Result<Option<Account>> {
        let reservation = self.get::<LoginReservation>(login_key(login)).await?;
        let exists = reservation.is_some();
        let id = reservation.map_or_else(UserId::nobody, |reservation| reservation.user_id);
        Ok(self.account(&id).await?.filter(|_| exists))
    }

    /// Returns a page of users.
    ///
    /// # Errors
    /// `invalid_cursor` if the cursor is not from this list; `database_unavailable` when DynamoDB
    /// is down or throttles, internal when it fails otherwise.
    pub async fn users(
        &self,
        filter: &UserFilter,
        page: &PageRequest,
        cursors: &CachedSecret<CursorKeys>,
    ) -> Result<Page<User>> {
        let Page { items, next_cursor } =
            self.list::<ProjectedAccount>(filter.query(), page, cursors).await?;
        Ok(Page { items: items.into_iter().map(|projected| projected.user).collect(), next_cursor })
    }
}

/// Returns the key of a login's reservation. For a login that can't be a username or an e-mail
/// address, it is a key that no reservation has.
fn login_key(login: &str) -> Key {
    let key = match login.contains('@') {
        true => Email::parse(login).map(|email| keys::email(&email.key())),
        false => Username::parse(login).map(|username| keys::username(&username.key())),
    };
    key.unwrap_or_else(|_| keys::username(""))
}

/// Normalizes a login for rate limits: logins that differ only in case or in surrounding spaces
/// share one limit, whether or not such a user exists.
pub fn normalized_login(login: &str) -> String {
    login.trim().to_lowercase()
}
