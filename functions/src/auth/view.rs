//! A user as the API shows it.

use jiff::Timestamp;
use serde::Serialize;
use shared::domain::user::{Categories, Role, User, UserStatus};

/// `{id, email, username, role, status, categories, created_at, updated_at}`.
#[derive(Debug, Serialize)]
pub struct UserView<'a> {
    id: &'a str,
    email: String,
    username: String,
    role: Role,
    status: UserStatus,
    categories: &'a Categories,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl<'a> From<&'a User> for UserView<'a> {
    fn from(user: &'a User) -> Self {
        Self {
            id: user.id.as_str(),
            email: user.email.to_string(),
            username: user.username.to_string(),
            role: user.role,
            status: user.status,
            categories: &user.categories,
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}
