//! Accounts: a user and the hash of its password, with the claims that make its names unique.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::row::{Entity, Key};
use super::transaction::{Committed, Transaction};
use super::{Index, Store, keys};
use crate::domain::error::Invalid;
use crate::domain::ids::UserId;
use crate::domain::order::Idempotency;
use crate::domain::user::{Email, User, Username};
use crate::error::{Error, Result};

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
}

impl Entity for Account {
    const ENTITY: &'static str = "user";
    const HEAVY: &'static [&'static str] = &["password", "created_by"];

    fn key(&self) -> Key {
        keys::user(&self.user.id)
    }

    fn indexes(&self) -> Vec<(Index, Key)> {
        vec![(Index::Gsi1, keys::index::users(self.user.role, self.user.created_at, &self.user.id))]
    }

    fn version(&self) -> u64 {
        self.user.version
    }
}

/// Holds a username or an e-mail address for one user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Claim {
    #[serde(skip, default = "nowhere")]
    key: Key,
    user_id: UserId,
    at: Timestamp,
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

/// What became of a registration.
#[derive(Debug)]
pub enum Registered {
    /// The account is there now.
    New,
    /// The same request (by its key) made it before.
    Before(Box<Account>),
}

impl Store {
    /// Makes an account, its username and its e-mail address in one transaction: all or none, without a race.
    ///
    /// # Errors
    /// 422 naming `username`, `email` or both when they are taken; 422 when the id's `Idempotency-Key` was used for another request.
    pub async fn register(&self, account: &Account) -> Result<Registered> {
        let user = &account.user;
        let claim = |key| Claim { key, user_id: user.id.clone(), at: user.created_at };
        let committed = Transaction::default()
            .create(self, account)?
            .create(self, &claim(keys::username(&user.username.key())))?
            .create(self, &claim(keys::email(&user.email.key())))?
            .commit(&self.client)
            .await?;
        let Committed::No(failed) = committed else { return Ok(Registered::New) };
        if failed.contains(&0) {
            return match self.account(&user.id).await? {
                Some(before) if before.created_by.is_some() && before.created_by == account.created_by => {
                    Ok(Registered::Before(Box::new(before)))
                }
                _ => Err(Error::key_reused()),
            };
        }
        let taken = [(1, "username", "This username is taken."), (2, "email", "This e-mail address is taken.")];
        let wrong = taken
            .into_iter()
            .filter(|(at, ..)| failed.contains(at))
            .map(|(_, field, detail)| Invalid::new("taken", detail).at(field));
        Err(Error::invalid(wrong.collect()))
    }

    /// The account of a user.
    pub async fn account(&self, id: &UserId) -> Result<Option<Account>> {
        self.get(keys::user(id)).await
    }

    /// The account that signs in under this name: a username, or an e-mail address if it has an `@`. Two reads: the claim, and the account.
    pub async fn account_by_login(&self, name: &str) -> Result<Option<Account>> {
        let claim = match name.contains('@') {
            true => Email::parse(name).map(|email| keys::email(&email.key())),
            false => Username::parse(name).map(|username| keys::username(&username.key())),
        };
        // What can't be a name is no one's.
        let Ok(claim) = claim else { return Ok(None) };
        match self.get::<Claim>(claim).await? {
            Some(claim) => self.account(&claim.user_id).await,
            None => Ok(None),
        }
    }

    /// Replaces the password's hash, if the account is still the one that was read.
    pub async fn rehash(&self, account: &Account) -> Result<()> {
        let mut next = account.clone();
        next.user.version += 1;
        // Lost to another change of the account: the next sign-in does it.
        self.replace(&next, account.user.version).await.map(drop)
    }
}
