//! Users: their usernames, e-mail addresses and roles, and whether they may act.

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
    /// The role of a user. Each user has exactly one.
    Role {
        /// Places orders and pays for them.
        Client = "client",
        /// Claims orders and delivers the work.
        Worker = "worker",
        /// Administers the marketplace.
        Admin = "admin",
    }
}

string_enum! {
    /// The status of a user's account.
    UserStatus {
        /// The user can use the API.
        Active = "active",
        /// The user cannot use the API until an administrator reactivates the account.
        Suspended = "suspended",
        /// The account was deleted. Its username and e-mail address stay reserved.
        Deactivated = "deactivated",
    }
}

/// A user. The password hash is stored separately.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The user's id.
    pub id: UserId,
    /// The e-mail address, unique by [`Email::key`].
    pub email: Email,
    /// The username, unique by [`Username::key`].
    pub username: Username,
    /// The user's role.
    pub role: Role,
    /// The status of the account.
    pub status: UserStatus,
    /// The categories that a worker serves. Empty for other roles.
    #[serde(default)]
    pub categories: Categories,
    /// When the user registered.
    pub created_at: Timestamp,
    /// When the user last changed.
    pub updated_at: Timestamp,
    /// The version. It starts at 1 and grows by 1 with each change. Every write is conditional on
    /// it.
    pub version: u64,
}

/// The fields of a new user.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// The e-mail address. Storing the user checks whether it is free.
    pub email: Email,
    /// The username. Storing the user checks whether it is free.
    pub username: Username,
    /// The role. The endpoint decides which roles the caller may choose: registration offers client
    /// and worker.
    pub role: Role,
    /// The categories that a worker serves.
    pub categories: Categories,
}

/// A change to a user. Fields that are `None` stay as they are.
#[derive(Debug, Clone, Default)]
pub struct UserChange {
    /// A new e-mail address.
    pub email: Option<Email>,
    /// A new username.
    pub username: Option<Username>,
    /// A new role. Only administrators change roles, and never their own.
    pub role: Option<Role>,
    /// A new status. Only administrators change it, and never their own.
    pub status: Option<UserStatus>,
    /// New categories, for workers.
    pub categories: Option<Categories>,
}

impl User {
    /// Creates an active user with version 1.
    ///
    /// # Errors
    ///
    /// Code `not_a_worker` if a user who is not a worker has categories. The wrong field is
    /// `categories`.
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

    /// Returns the user after a change, or `None` if the change has no effect. A user who stops
    /// being a worker loses the categories.
    ///
    /// # Errors
    ///
    /// Code `not_a_worker` if the user is not a worker after the change and the change names
    /// categories.
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

    /// Returns whether the user's role or status differs from `before`.
    pub fn permissions_differ_from(&self, before: &Self) -> bool {
        self.role != before.role || self.status != before.status
    }

    /// Returns whether the account is active.
    pub fn is_active(&self) -> bool {
        self.status == UserStatus::Active
    }
}

fn not_a_worker() -> Invalid {
    Invalid::new("not_a_worker", "Only workers can have categories.")
}

/// The part of a user that the rules need. Before a write, take it from the stored [`User`], not
/// from an access token, which may be outdated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The user's id.
    pub id: UserId,
    /// The username, which an order's history records.
    pub username: Username,
    /// The user's current role.
    pub role: Role,
    /// Whether the account is currently active.
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

/// A user, as an order or a message shows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Person {
    /// The user's id.
    pub id: UserId,
    /// The username at that time. It may have changed since.
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
    fn only_workers_have_categories() {
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
    fn a_user_who_stops_being_a_worker_loses_the_categories() {
        let worker = user(Role::Worker, &["Design"]).unwrap();
        let change = UserChange { role: Some(Role::Client), ..UserChange::default() };
        let client = worker.changed(change, Timestamp::UNIX_EPOCH).unwrap().unwrap();
        assert!(client.categories.is_empty());
        assert_eq!(client.version, 2);
    }

    #[test]
    fn a_change_without_effect_returns_none() {
        let worker = user(Role::Worker, &["Design"]).unwrap();
        let same = UserChange {
            role: Some(Role::Worker),
            username: Some(worker.username.clone()),
            ..UserChange::default()
        };
        assert_eq!(worker.changed(same, Timestamp::MAX), Ok(None));
    }

    #[test]
    fn debug_output_does_not_contain_the_e_mail_address() {
        assert!(!format!("{:?}", user(Role::Client, &[]).unwrap()).contains("example.com"));
    }
}
