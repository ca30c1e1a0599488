//! `POST /auth/register`: anyone becomes a client or a worker. Administrators are made by administrators.

use jiff::Timestamp;
use schemars::JsonSchema;
use shared::auth::password;
use shared::config::Secret;
use shared::domain::ids::UserId;
use shared::domain::order::Idempotency;
use shared::domain::user::{Categories, Email, NewUser, Role, User, Username};
use shared::error::{Error, Invalid, Result};
use shared::store::{Account, Registered};
use uuid::Uuid;

use super::{NewPassword, UserView};
use crate::context::Data;
use crate::http::{FieldSet, FieldValue, Problem, Reply, Request, body, idempotency_key, text};
use crate::openapi::{Answer, Operation};
use serde_json::json;

body! {
    /// A user to be.
    pub struct Body {
        email: Email,
        username: Username,
        password: NewPassword,
        /// `client` unless given.
        role: Option<OwnRole>,
        /// For workers.
        categories: Option<Categories>,
    }
}

/// A role that one can give oneself.
#[derive(JsonSchema)]
#[schemars(inline, extend("enum" = ["client", "worker"]))]
pub struct OwnRole(Role);

impl FieldValue for OwnRole {
    fn read(name: &str, value: serde_json::Value) -> std::result::Result<Self, Problem> {
        text(role)(name, value).map(Self)
    }
}

/// Registers the caller.
///
/// # Errors
/// 422 naming every wrong field, a taken `username` or `email` among them.
pub async fn handle(context: &Data, request: Request) -> Result<Reply> {
    let now = Timestamp::now();
    let (new, password) = parse(&request)?;
    let key = idempotency_key(&request)?;
    let id = key.map_or_else(|| UserId::from_uuid(Uuid::now_v7()), |key| UserId::derived(&["auth-register", key]));
    let created_by = key.map(|key| Idempotency::new(&id, "auth-register", key, &[request.body()]));
    let user = User::new(id, new, now).map_err(|invalid| Error::invalid(vec![invalid.at("categories")]))?;
    let account = Account { user, password: password::hash(password).await?, created_by };
    let (account, replayed) = match context.store.register(&account).await? {
        Registered::New => (account, false),
        Registered::Before(before) => (*before, true),
    };
    tracing::info!(user = %account.user.id, role = account.user.role.as_str(), "registered {}", account.user.id);
    Reply::created("/auth/me", &UserView::from(&account.user))?.etag(account.user.version)?.replayed(replayed)
}

/// In the API description.
pub fn describe() -> Operation {
    Operation::post("/auth/register", "auth-register", "Become a client or a worker")
        .details("Administrators are made by administrators.")
        .body::<Body>(json!({
            "email": "ada@example.com", "username": "ada", "password": "correct horse", "role": "worker", "categories": ["Design"],
        }))
        .answer(Answer::created::<UserView<'_>>("The new user.").etag())
        .idempotent()
}

/// What is asked for. The password may not be the name, which shows when both are known.
fn parse(request: &Request) -> Result<(NewUser, Secret)> {
    let mut fields = request.fields()?;
    let body = Body::take(&mut fields);
    if let Some(Body { username, password, .. }) = &body
        && let Err(invalid) = password::check_policy(&password.0, username.as_str())
    {
        fields.refuse("password", invalid);
    }
    let (Body { email, username, password, role, categories },) = fields.finish((body,))?;
    let role = role.map_or(Role::Client, |own| own.0);
    Ok((NewUser { email, username, role, categories: categories.unwrap_or_default() }, password.0))
}

/// The roles that one can give oneself.
fn role(text: &str) -> std::result::Result<Role, Invalid> {
    match text {
        "client" => Ok(Role::Client),
        "worker" => Ok(Role::Worker),
        _ => Err(Invalid::new("invalid", "Must be `client` or `worker`.")),
    }
}
