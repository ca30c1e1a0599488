//! Accounts: a user, the hash of its password, and which of its sign-ins still count.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::query::SortKeys;
use super::row::{Entity, Key};
use super::{
    AuthState, CursorKey, Filter, Index, Listed, PageRequest, Query, Session, Store, keys,
};
use crate::domain::ids::UserId;
use crate::domain::order::Idempotency;
use crate::domain::user::{Email, Role, User, UserStatus, Username};
use crate::error::Result;

/// A user as stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Account {
    /// What may be shown.
    #[serde(flatten)]
    pub user: User,
    /// The password as a PHC string. Stored beside `doc`: no index carries it.
    pub password: String,
    /// The request that made it, if that had a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<Idempotency>,
    /// One more each time that all sign-ins end. A session belongs to the generation that its
    /// password was checked in, so that none can slip through between the check and the end.
    #[serde(default)]
    pub generation: u64,
    /// The session that outlived the last end of all: the one in which the password was changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_session: Option<String>,
}

impl Account {
    /// A new account.
    pub fn new(user: User, password: String, created_by: Option<Idempotency>) -> Self {
        Self { user, password, created_by, generation: 0, kept_session: None }
    }

    /// Whether a session of this user was not ended with all others.
    pub fn admits(&self, session: &Session) -> bool {
        session.generation == self.generation || self.kept_session.as_ref() == Some(&session.id)
    }

    /// The account with all sign-ins ended, but the one that is kept.
    #[must_use]
    pub fn signed_out(&self, kept: Option<&str>) -> Self {
        let generation = self.generation + 1;
        Self { generation, kept_session: kept.map(str::to_owned), ..self.successor() }
    }

    /// The account with another password; only the session that it was changed in goes on.
    #[must_use]
    pub fn with_password(&self, hash: String, kept: &str) -> Self {
        Self { password: hash, ..self.signed_out(Some(kept)) }
    }

    /// The account with the same password, hashed anew.
    #[must_use]
    pub fn rehashed(&self, hash: String) -> Self {
        Self { password: hash, ..self.successor() }
    }

    /// The account of a user who was changed. One who may not act any more is signed out, and stays
    /// so when allowed back.
    #[must_use]
    pub fn changed(&self, user: User) -> Self {
        match self.user.is_active() && !user.is_active() {
            true => Self { user, ..self.signed_out(None) },
            false => Self { user, ..self.clone() },
        }
    }

    /// The next version, with nothing changed that shows.
    fn successor(&self) -> Self {
        let mut next = self.clone();
        next.user.version += 1;
        next
    }

    /// Whether it is one of those that the marketplace can't be without.
    pub(super) fn is_active_admin(&self) -> bool {
        self.user.role == Role::Admin && self.user.is_active()
    }
}

impl Entity for Account {
    const ENTITY: &'static str = "user";
    const HEAVY: &'static [&'static str] =
        &["password", "created_by", "generation", "kept_session"];

    fn key(&self) -> Key {
        keys::user(&self.user.id)
    }

    fn indexes(&self) -> Vec<(Index, Key)> {
        let User { id, username, role, status, created_at, .. } = &self.user;
        let mut indexes = vec![
            (Index::Gsi1, keys::index::users(*role, *created_at, id)),
            (Index::Gsi2, keys::index::user_by_name(&username.key())),
            (Index::Gsi3, keys::index::user(*created_at, id)),
        ];
        if *status != UserStatus::Active {
            indexes.push((Index::Gsi4, keys::index::barred(*status, *created_at, id)));
        }
        indexes
    }

    fn version(&self) -> u64 {
        self.user.version
    }
}

/// An account as indexes carry it: without what lies beside `doc`. It is only read.
#[derive(Debug, Serialize, Deserialize)]
struct Projected {
    #[serde(flatten)]
    user: User,
}

impl Entity for Projected {
    const ENTITY: &'static str = Account::ENTITY;

    fn key(&self) -> Key {
        keys::user(&self.user.id)
    }
}

/// Holds a username or an e-mail address for one user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Claim {
    #[serde(skip, default = "nowhere")]
    pub(super) key: Key,
    pub(super) user_id: UserId,
    pub(super) at: Timestamp,
}

fn nowhere() -> Key {
    Key::new("", "")
}

impl Entity for Claim {
    const ENTITY: &'static str = "claim";

    fn key(&self) -> Key {
        self.key.clone()
    }
}

/// A list of users. Without a name, the newest come first; with one, they are sorted by name.
#[derive(Debug, Clone, Default)]
pub struct UsersOf {
    /// Of this role alone.
    pub role: Option<Role>,
    /// Of this status alone.
    pub status: Option<UserStatus>,
    /// Whose username starts with this, in any case.
    pub name: Option<String>,
}

impl UsersOf {
    /// Each list has an index's partition that holds little else: a filter leaves out few, but for
    /// the rarest of questions.
    fn query(&self) -> Query {
        let barred = self.status.filter(|status| *status != UserStatus::Active);
        let role = self.role.map(|role| Filter::Is("role", role.to_string()));
        let status = self.status.map(|status| Filter::Is("status", status.to_string()));
        match (&self.name, barred, self.role) {
            (Some(name), ..) => {
                let from = name.to_ascii_lowercase();
                let range = Some(SortKeys::Between(from.clone(), format!("{from}{}", keys::LAST)));
                let filters = role.into_iter().chain(status).collect();
                Query { range, filters, ..Query::oldest(Index::Gsi2, keys::index::all_users()) }
            }
            (None, Some(status), _) => {
                let filters = role.into_iter().collect();
                Query { filters, ..Query::newest(Index::Gsi4, keys::index::users_barred(status)) }
            }
            (None, None, Some(role)) => {
                let filters = status.into_iter().collect();
                Query { filters, ..Query::newest(Index::Gsi1, keys::index::users_of(role)) }
            }
            (None, None, None) => {
                let filters = status.into_iter().collect();
                Query { filters, ..Query::newest(Index::Gsi3, keys::index::all_users()) }
            }
        }
    }
}

impl Store {
    /// The account of a user.
    pub async fn account(&self, id: &UserId) -> Result<Option<Account>> {
        self.get(keys::user(id)).await
    }

    /// The account that signs in under this name: a username, or an e-mail address if it has an
    /// `@`. Always two reads, the claim and the account, so that the name of no one takes as long
    /// as a user's.
    pub async fn account_by_login(&self, name: &str) -> Result<Option<Account>> {
        let claim = self.get::<Claim>(login_key(name)).await?;
        let known = claim.is_some();
        let id = claim.map_or_else(|| UserId::derived(&["nobody"]), |claim| claim.user_id);
        Ok(self.account(&id).await?.filter(|_| known))
    }

    /// How a caller stands, and a user's account, in one read.
    pub async fn auth_state_and_account(
        &self,
        user: &UserId,
        session: &str,
        id: &UserId,
    ) -> Result<(AuthState, Option<Account>)> {
        if user == id {
            let standing = self.auth_state(user, session).await?;
            let account = standing.account.clone();
            return Ok((standing, account));
        }
        self.standing_and(user, session, keys::user(id)).await
    }

    /// Users.
    pub async fn users(
        &self,
        of: &UsersOf,
        page: &PageRequest,
        cursors: &CursorKey,
    ) -> Result<Listed<User>> {
        let Listed { items, next_cursor } =
            self.list::<Projected>(of.query(), page, cursors).await?;
        Ok(Listed {
            items: items.into_iter().map(|projected| projected.user).collect(),
            next_cursor,
        })
    }
}

/// What a login's claim would lie under; what can't be a name is no one's.
fn login_key(name: &str) -> Key {
    let claim = match name.contains('@') {
        true => Email::parse(name).map(|email| keys::email(&email.key())),
        false => Username::parse(name).map(|username| keys::username(&username.key())),
    };
    claim.unwrap_or_else(|_| keys::username(""))
}

/// What a login is limited by: the same for every way to write it, whether there is such a user or
/// not.
pub fn login_name(name: &str) -> String {
    name.trim().to_lowercase()
}
