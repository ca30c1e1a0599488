//! `bootstrap-admin`: the first administrator of a new stack, invoked directly. Whoever may invoke
//! it owns the stack anyway, and it does nothing more once there is an active administrator.
//!
//! ```sh
//! aws lambda invoke --function-name ... --payload '{"username": "ada", "email": "ada@example.com"}' /dev/stdout
//! ```

use data_encoding::BASE64URL_NOPAD;
use serde::Serialize;
use serde_json::Value;
use shared::auth::random;
use shared::config::Secret;
use shared::domain::user::{Categories, Email, NewUser, Role, Username};
use shared::error::Result;
use shared::store::AdminCondition;

use crate::auth::NewPassword;
use crate::auth::new_account;
use crate::http::{Fields, body};
use crate::runtime::context::Data;

body! {
    /// The administrator to be.
    struct Event {
        username: Username,
        email: Email,
        /// Generated unless given.
        password: Option<NewPassword>,
    }
}

/// The administrator that was made.
#[derive(Serialize)]
pub struct Bootstrapped {
    id: String,
    username: String,
    email: String,
    /// The generated password, shown this once. Missing when the event brought one.
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

/// Makes the first administrator from `{"username", "email", "password"?}`. Better without a
/// password: one is generated then, and is in nobody's shell history.
///
/// # Errors
/// 409 when there is an active administrator, however many ask at once; 422 naming every wrong
/// field.
pub async fn handle(context: &Data, event: Value) -> Result<Bootstrapped> {
    let Event { username, email, password } =
        new_account::read(Fields::of(event)?, |event: &Event| {
            (event.password.as_ref(), &event.username, &event.email)
        })?;
    let (password, generated) = match password {
        Some(password) => (password.0, None),
        None => {
            let generated = BASE64URL_NOPAD.encode(&random::<18>()?);
            (Secret::new(generated.clone()), Some(generated))
        }
    };
    let new = NewUser { email, username, role: Role::Admin, categories: Categories::default() };
    let (user, _) =
        new_account::create(&context.store, new, password, None, AdminCondition::NoAdminYet)
            .await?;
    Ok(Bootstrapped {
        id: user.id.to_string(),
        username: user.username.to_string(),
        email: user.email.to_string(),
        password: generated,
    })
}
