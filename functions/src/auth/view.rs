//! The API's representation of a user.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use shared::domain::ids::UserId;
use shared::domain::schema::DateTime;
use shared::domain::user::{Categories, Email, Role, User, UserStatus, Username};

/// A user.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "User")]
pub struct UserView<'a> {
    id: &'a UserId,
    email: &'a Email,
    username: &'a Username,
    role: Role,
    status: UserStatus,
    categories: &'a Categories,
    #[schemars(with = "DateTime")]
    created_at: Timestamp,
    #[schemars(with = "DateTime")]
    updated_at: Timestamp,
}

impl<'a> From<&'a User> for UserView<'a> {
    fn from(user: &'a User) -> Self {
        Self {
            id: &user.id,
            email: &user.email,
            username: &user.username,
            role: user.role,
            status: user.status,
            categories: &user.categories,
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}
