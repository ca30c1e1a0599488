//! `bootstrap-admin`: creates the first administrator of a new stack, invoked directly. It refuses
//! once there is an active administrator. It needs no sign-in, because whoever may invoke functions
//! controls the stack anyway.
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
use crate::runtime::context::Database;

body! {
    /// The new administrator.
    struct Event {
        username: Username,
        email: Email,
        /// Default: a generated password.
        password: Option<NewPassword>,
    }
}

/// The created administrator.
#[derive(Serialize)]
pub struct NewAdmin {
    id: String,
    username: String,
    email: String,
    /// The generated password, which is shown only here. Missing when the event has a password.
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

/// Creates the first administrator from `{"username", "email", "password"?}`. Prefer to omit the
/// password: a generated one is in nobody's shell history.
///
/// # Errors
/// 409 when there is an active administrator, even for parallel calls; 422 naming every wrong
/// field.
pub async fn handle(context: &Database, event: Value) -> Result<NewAdmin> {
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
    Ok(NewAdmin {
        id: user.id.to_string(),
        username: user.username.to_string(),
        email: user.email.to_string(),
        password: generated,
    })
}
