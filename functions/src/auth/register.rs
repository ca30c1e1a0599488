//! `POST /auth/register`: anyone becomes a client or a worker. Administrators are made by administrators.

use jiff::Timestamp;
use shared::auth::password;
use shared::config::Secret;
use shared::domain::ids::UserId;
use shared::domain::order::Idempotency;
use shared::domain::text::Category;
use shared::domain::user::{Categories, Email, NewUser, Role, User, Username};
use shared::error::{Error, Invalid, Result};
use shared::store::{Account, Registered};
use uuid::Uuid;

use super::UserView;
use crate::context::Data;
use crate::http::{Reply, Request, idempotency_key, text, texts};

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

fn parse(request: &Request) -> Result<(NewUser, Secret)> {
    let mut body = request.fields()?;
    let email = body.required("email", text(Email::parse));
    let username = body.required("username", text(Username::parse));
    let own_name = username.as_ref().map(ToString::to_string).unwrap_or_default();
    let password = body.required(
        "password",
        text(|p| {
            let secret = Secret::new(p);
            password::check_policy(&secret, &own_name).map(|()| secret)
        }),
    );
    let role = body.optional("role", text(role));
    let categories = body.optional("categories", texts(Category::parse));
    let (email, username, password, role, categories) = body.finish((email, username, password, role, categories))?;
    let categories = Categories::new(categories.unwrap_or_default())
        .map_err(|invalid| Error::invalid(vec![invalid.at("categories")]))?;
    Ok((NewUser { email, username, role: role.unwrap_or(Role::Client), categories }, password))
}

/// The roles that one can give oneself.
fn role(text: &str) -> std::result::Result<Role, Invalid> {
    match text {
        "client" => Ok(Role::Client),
        "worker" => Ok(Role::Worker),
        _ => Err(Invalid::new("invalid", "Must be `client` or `worker`.")),
    }
}
