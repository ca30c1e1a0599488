//! `POST /auth/register`: creates a client or a worker, for anyone. Only administrators create
//! administrators.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde_json::json;
use shared::config::Secret;
use shared::domain::user::{Categories, Email, NewUser, Role, Username};
use shared::error::{Invalid, Result, catalogue};
use shared::store::AdminCondition;

use super::Registration;
use super::new_account::{self, CreationKey};
use super::{NewPassword, UserView, throttle};
use crate::http::{Endpoint, FieldErrors, FieldValue, Reply, Request, Who, body, text};
use crate::openapi::{Answer, Operation};

const ENDPOINT: Endpoint = Endpoint::post("/auth/register", Who::Anyone);

body! {
    /// A new user.
    pub struct Body {
        email: Email,
        username: Username,
        password: NewPassword,
        /// Default: `client`.
        role: Option<RegistrationRole>,
        /// The categories that the worker serves. Only for workers. Default: all.
        categories: Option<Categories>,
    }
}

/// A role that anyone may register with.
#[derive(JsonSchema)]
#[schemars(inline, extend("enum" = ["client", "worker"]))]
pub struct RegistrationRole(Role);

impl FieldValue for RegistrationRole {
    fn read(name: &str, value: serde_json::Value) -> std::result::Result<Self, FieldErrors> {
        text(role)(name, value).map(Self)
    }
}

/// Creates the user.
///
/// # Errors
/// 422 naming every wrong field; 409 for a taken `username` or `email`; 429 after too many
/// registrations from one IP address.
pub async fn handle(context: &Registration, request: Request) -> Result<Reply> {
    let (new, password) = parse(&request)?;
    let key = CreationKey::read(&request, &ENDPOINT, None)?;
    // Counted first, and not uncounted whatever the result, because the result tells whether a
    // username or an e-mail address is taken.
    context
        .store
        .count_attempt(&context.limit.0, &throttle::ip_hash(&request), Timestamp::now())
        .await?;
    let (user, replayed) =
        new_account::create(&context.store, new, password, key, AdminCondition::None).await?;
    Reply::created("/auth/me", &UserView::from(&user))?
        .etag(user.version)?
        .idempotent_replayed(replayed)
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "Register as a client or a worker")
        .details("Only administrators create administrators: see `POST /users`.")
        .body::<Body>(json!({
            "email": "ada@example.com", "username": "ada", "password": "correct horse", "role": "worker", "categories": ["Design"],
        }))
        .answer(Answer::created::<UserView<'_>>("The new user.").etag())
        .idempotent()
        .rate_limited()
        .problems(&[&catalogue::NAME_TAKEN])
}

fn parse(request: &Request) -> Result<(NewUser, Secret)> {
    let Body { email, username, password, role, categories } =
        new_account::read(request.fields()?, |body: &Body| {
            (Some(&body.password), &body.username, &body.email)
        })?;
    let role = role.map_or(Role::Client, |own| own.0);
    Ok((NewUser { email, username, role, categories: categories.unwrap_or_default() }, password.0))
}

/// Parses a role that anyone may register with.
fn role(text: &str) -> std::result::Result<Role, Invalid> {
    match text {
        "client" => Ok(Role::Client),
        "worker" => Ok(Role::Worker),
        _ => Err(Invalid::new("invalid", "Must be `client` or `worker`.")),
    }
}
