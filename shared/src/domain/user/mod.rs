//! Users: who someone is, what they may be called, and whether they may act.

mod names;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::names::{Categories, Email, Username};
use super::error::Invalid;
use super::ids::UserId;
pub use super::text::{Category, CategoryKey};
use crate::domain::string_enum::string_enum;

string_enum! {
    /// What a user does here. One role each.
    Role {
        /// Orders and pays.
        Client = "client",
        /// Claims and delivers.
        Worker = "worker",
        /// Runs the marketplace.
        Admin = "admin",
    }
}

string_enum! {
    /// Whether a user may act.
    UserStatus {
        /// May.
        Active = "active",
        /// May not, until an admin says otherwise.
        Suspended = "suspended",
        /// Was deleted; the names stay taken.
        Deactivated = "deactivated",
    }
}

/// A user as kept and as shown. The password hash is not part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Who.
    pub id: UserId,
    /// Unique by [`Email::key`].
    pub email: Email,
    /// Unique by [`Username::key`].
    pub username: Username,
    /// What the user does here.
    pub role: Role,
    /// Whether the user may act.
    pub status: UserStatus,
    /// What a worker serves; empty for others.
    #[serde(default)]
    pub categories: Categories,
    /// When registered.
    pub created_at: Timestamp,
    /// When last changed.
    pub updated_at: Timestamp,
    /// Starts at 1, one more with every change; the condition of every write.
    pub version: u64,
}

/// A user to be.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Not yet known to be free.
    pub email: Email,
    /// Not yet known to be free.
    pub username: Username,
    /// Who may choose which is the edge's to say: registration offers client and worker.
    pub role: Role,
    /// For workers.
    pub categories: Categories,
}

/// What is to change of a user; `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub struct UserChange {
    /// A new address.
    pub email: Option<Email>,
    /// A new name.
    pub username: Option<Username>,
    /// A new role; admins only, never one's own.
    pub role: Option<Role>,
    /// A new status; admins only, never one's own.
    pub status: Option<UserStatus>,
    /// New categories; for workers.
    pub categories: Option<Categories>,
}

impl User {
    /// An active user, version 1. Refused with `not_a_worker` when one who is no worker names
    /// categories (a fault of field `categories`).
    pub fn new(id: UserId, new: NewUser, at: Timestamp) -> Result<Self, Invalid> {
        let NewUser { email, username, role, categories } = new;
        let status = UserStatus::Active;
        let user = Self {
            id,
            email,
            username,
            role,
            status,
            categories,
            created_at: at,
            updated_at: at,
            version: 1,
        };
        if user.role != Role::Worker && !user.categories.is_empty() {
            Err(not_a_worker())
        } else {
            Ok(user)
        }
    }

    /// The user after a change; `None` when it changes nothing. One who stops being a worker loses
    /// the categories. Refused as [`User::new`] refuses.
    pub fn changed(&self, change: UserChange, at: Timestamp) -> Result<Option<Self>, Invalid> {
        let mut next = self.clone();
        next.role = change.role.unwrap_or(next.role);
        next.status = change.status.unwrap_or(next.status);
        next.email = change.email.unwrap_or(next.email);
        next.username = change.username.unwrap_or(next.username);
        if next.role != Role::Worker {
            if change.categories.is_some_and(|categories| !categories.is_empty()) {
                return Err(not_a_worker());
            }
            next.categories = Categories::default();
        } else {
            next.categories = change.categories.unwrap_or(next.categories);
        }
        if next == *self {
            return Ok(None);
        }
        next.version += 1;
        next.updated_at = at.max(self.updated_at);
        Ok(Some(next))
    }

    /// Whether what the user may do is not what it was: the role or the status differs.
    pub fn permissions_differ_from(&self, before: &Self) -> bool {
        self.role != before.role || self.status != before.status
    }

    /// Whether the user may act at all.
    pub fn is_active(&self) -> bool {
        self.status == UserStatus::Active
    }
}

fn not_a_worker() -> Invalid {
    Invalid::new("not_a_worker", "Only workers serve categories.")
}

/// A user as far as a rule needs to know: from the stored [`User`] for everything that writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Who.
    pub id: UserId,
    /// To be remembered in the history.
    pub username: Username,
    /// What the user does here, now.
    pub role: Role,
    /// Whether the user may act, now.
    pub active: bool,
}

impl From<&User> for Caller {
    fn from(user: &User) -> Self {
        Self {
            id: user.id.clone(),
            username: user.username.clone(),
            role: user.role,
            active: user.is_active(),
        }
    }
}

/// A user as others see it on an order, under the name of that time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Person {
    /// Who.
    pub id: UserId,
    /// The name when it was written down.
    pub username: Username,
}

impl From<&Caller> for Person {
    fn from(caller: &Caller) -> Self {
        Self { id: caller.id.clone(), username: caller.username.clone() }
    }
}

impl From<&User> for Person {
    fn from(user: &User) -> Self {
        Self { id: user.id.clone(), username: user.username.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(role: Role, categories: &[&str]) -> NewUser {
        let categories = categories.iter().map(|text| Category::parse(text).unwrap()).collect();
        NewUser {
            email: Email::parse("ada@example.com").unwrap(),
            username: Username::parse("ada").unwrap(),
            role,
            categories: Categories::new(categories).unwrap(),
        }
    }

    fn user(role: Role, categories: &[&str]) -> Result<User, Invalid> {
        User::new(UserId::derived(&["ada"]), new(role, categories), Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn only_workers_serve_categories() {
        assert!(user(Role::Worker, &["Design"]).is_ok());
        assert_eq!(user(Role::Client, &["Design"]).unwrap_err().code, "not_a_worker");
        let change = UserChange {
            categories: Some(new(Role::Worker, &["Design"]).categories),
            ..UserChange::default()
        };
        let client = user(Role::Client, &[]).unwrap();
        assert_eq!(client.changed(change, Timestamp::UNIX_EPOCH).unwrap_err().code, "not_a_worker");
    }

    #[test]
    fn who_stops_being_a_worker_loses_the_categories() {
        let worker = user(Role::Worker, &["Design"]).unwrap();
        let change = UserChange { role: Some(Role::Client), ..UserChange::default() };
        let client = worker.changed(change, Timestamp::UNIX_EPOCH).unwrap().unwrap();
        assert!(client.categories.is_empty());
        assert_eq!(client.version, 2);
    }

    #[test]
    fn a_change_that_changes_nothing_is_none() {
        let worker = user(Role::Worker, &["Design"]).unwrap();
        let same = UserChange {
            role: Some(Role::Worker),
            username: Some(worker.username.clone()),
            ..UserChange::default()
        };
        assert_eq!(worker.changed(same, Timestamp::MAX), Ok(None));
    }

    #[test]
    fn an_address_does_not_show_in_debug_output() {
        assert!(!format!("{:?}", user(Role::Client, &[]).unwrap()).contains("example.com"));
    }
}
