//! Users: who someone is, what they may be called, and whether they may act.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::Invalid;
use super::ids::UserId;
pub use super::text::{Category, CategoryKey};

/// What a user does here. One role each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Orders and pays.
    Client,
    /// Claims and delivers.
    Worker,
    /// Runs the marketplace.
    Admin,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Client, Self::Worker, Self::Admin];

    /// `client`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Worker => "worker",
            Self::Admin => "admin",
        }
    }
}

/// Whether a user may act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserStatus {
    /// May.
    Active,
    /// May not, until an admin says otherwise.
    Suspended,
    /// Was deleted; the names stay taken.
    Deactivated,
}

macro_rules! name_type {
    ($name:ident) => {
        impl $name {
            /// As it was given, trimmed.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// What makes it unique: the same for every way to write it in upper and lower case.
            pub fn key(&self) -> String {
                self.0.to_ascii_lowercase()
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl std::str::FromStr for $name {
            type Err = Invalid;
            fn from_str(text: &str) -> Result<Self, Invalid> {
                Self::parse(text)
            }
        }
        impl TryFrom<String> for $name {
            type Error = Invalid;
            fn try_from(text: String) -> Result<Self, Invalid> {
                Self::parse(&text)
            }
        }
        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }
    };
}

/// A name to sign in with and to be shown by: 3 to 32 of `A-Za-z0-9._-`. ASCII, so that no two names look the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Username(String);

impl Username {
    /// The fewest characters.
    pub const MIN: usize = 3;
    /// The most characters.
    pub const MAX: usize = 32;

    /// Codes: `too_short`, `too_long`, `invalid_character`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)) {
            return Err(Invalid::new(
                "invalid_character",
                "May have letters A to Z, digits, dots, underscores and hyphens.",
            ));
        }
        match text.len() {
            0..Self::MIN => Err(Invalid::new("too_short", "Must have at least 3 characters.")),
            Self::MIN..=Self::MAX => Ok(Self(text.to_owned())),
            _ => Err(Invalid::new("too_long", "Must have at most 32 characters.")),
        }
    }
}

name_type!(Username);

/// An e-mail address: ASCII, at most 254 characters (RFC 5321 section 4.5.3.1), a dot-atom before the `@` and a domain with at least
/// two labels after it. Quoted local parts and address literals are refused: they are valid, and nobody has one.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Email(String);

impl std::fmt::Debug for Email {
    /// Addresses do not belong into logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Email(..)")
    }
}

impl Email {
    /// The most characters.
    pub const MAX: usize = 254;

    /// Codes: `invalid_email`, `too_long`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        if text.chars().count() > Self::MAX {
            return Err(Invalid::new("too_long", "Must have at most 254 characters."));
        }
        let well_formed = text.rsplit_once('@').is_some_and(|(local, domain)| is_dot_atom(local) && is_domain(domain));
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid::new("invalid_email", "Must be an e-mail address such as ada@example.com."))
        }
    }
}

name_type!(Email);

/// RFC 5322 section 3.2.3, at most 64 characters.
fn is_dot_atom(local: &str) -> bool {
    let is_atom = |atom: &str| {
        !atom.is_empty() && atom.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b))
    };
    local.len() <= 64 && local.split('.').all(is_atom)
}

/// RFC 1123 section 2.1, with a last label that is not a number.
fn is_domain(domain: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = domain.rsplit('.').next().unwrap_or_default();
    domain.contains('.') && domain.split('.').all(is_label) && last.bytes().any(|b| b.is_ascii_alphabetic())
}

/// The categories that a worker serves: at most 20, none twice. Empty serves all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "Vec<Category>", into = "Vec<Category>")]
pub struct Categories(Vec<Category>);

impl Categories {
    /// The most that a worker names.
    pub const MAX: usize = 20;

    /// Keeps the first of those that are the same. Codes: `too_many`.
    pub fn new(categories: Vec<Category>) -> Result<Self, Invalid> {
        let mut keys = std::collections::HashSet::new();
        let kept: Vec<_> = categories.into_iter().filter(|category| keys.insert(category.key())).collect();
        if kept.len() > Self::MAX {
            return Err(Invalid::new("too_many", "At most 20 categories."));
        }
        Ok(Self(kept))
    }

    /// In the order given.
    pub fn iter(&self) -> impl Iterator<Item = &Category> {
        self.0.iter()
    }

    /// Whether none is named: such a worker serves all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl TryFrom<Vec<Category>> for Categories {
    type Error = Invalid;
    fn try_from(categories: Vec<Category>) -> Result<Self, Invalid> {
        Self::new(categories)
    }
}

impl From<Categories> for Vec<Category> {
    fn from(categories: Categories) -> Self {
        categories.0
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
    /// An active user, version 1. Refused with `not_a_worker` when one who is no worker names categories (a fault of field
    /// `categories`).
    pub fn new(id: UserId, new: NewUser, at: Timestamp) -> Result<Self, Invalid> {
        let NewUser { email, username, role, categories } = new;
        let status = UserStatus::Active;
        let user = Self { id, email, username, role, status, categories, created_at: at, updated_at: at, version: 1 };
        if user.role != Role::Worker && !user.categories.is_empty() { Err(not_a_worker()) } else { Ok(user) }
    }

    /// The user after a change; `None` when it changes nothing. One who stops being a worker loses the categories. Refused as
    /// [`User::new`] refuses.
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
        Self { id: user.id.clone(), username: user.username.clone(), role: user.role, active: user.is_active() }
    }
}

/// A user as others see it on an order, under the name of that time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
