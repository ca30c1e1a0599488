//! `PATCH /users/{id}`: an administrator changes a user. The change takes effect at the user's next
//! write, not only when the access token expires.

use schemars::JsonSchema;
use serde_json::{Value, json};
use shared::domain::ids::UserId;
use shared::domain::user::{Categories, Email, Role, UserChange, UserStatus, Username};
use shared::error::{Invalid, Result, catalogue};

use super::change;
use crate::auth::UserView;
use crate::http::{Endpoint, FieldErrors, FieldValue, Reply, Request, Who, body, text};
use crate::openapi::{Answer, Operation};
use crate::runtime::context::Context;

const ENDPOINT: Endpoint = Endpoint::patch("/users/{id}", Who::Admin);

body! {
    /// The fields to change; missing fields stay as they are.
    struct Body {
        email: Option<Email>,
        username: Option<Username>,
        role: Option<Role>,
        status: Option<NewStatus>,
        /// The categories that the worker serves. Only for workers.
        categories: Option<Categories>,
    }
}

/// `active` or `suspended`. `DELETE` deactivates a user.
#[derive(JsonSchema)]
#[schemars(inline, extend("enum" = ["active", "suspended"]))]
struct NewStatus(UserStatus);

impl FieldValue for NewStatus {
    fn read(name: &str, value: Value) -> std::result::Result<Self, FieldErrors> {
        text(status)(name, value).map(Self)
    }
}

/// Changes a user.
///
/// # Errors
/// 403 unless the caller is an administrator; 404 for an unknown user; 409 for the caller's own
/// role or status and for the last active administrator; 412 when `If-Match` names another version;
/// 422 naming every wrong field.
pub async fn handle(context: &Context, request: Request) -> Result<Reply> {
    let claims = request.caller(ENDPOINT.who, &context.verifier)?;
    let id: UserId = request.path_id("user")?;
    let Body { email, username, role, status, categories } = request.body_as()?;
    let change = UserChange { email, username, role, status: status.map(|new| new.0), categories };
    let user = change::change_user(context, &request, &claims, &id, change).await?;
    Reply::ok(&UserView::from(&user))?.etag(user.version)
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "Change a user")
        .details(
            "Takes effect at the user's next write, and closes the user's sockets. A suspended or \
             deactivated user is signed out, and stays signed out after being reactivated. \
             Administrators can't change their own role or status.",
        )
        .id::<UserId>()
        .body::<Body>(json!({"status": "suspended"}))
        .answer(Answer::ok::<UserView<'_>>("The changed user.").etag())
        .if_match()
        .problems(&change::PROBLEMS)
        .problems(&[&catalogue::NAME_TAKEN])
}

/// Parses a status that can be set. Setting `active` reactivates a user. Only DELETE deactivates.
fn status(text: &str) -> std::result::Result<UserStatus, Invalid> {
    match text {
        "active" => Ok(UserStatus::Active),
        "suspended" => Ok(UserStatus::Suspended),
        _ => Err(Invalid::new(
            "invalid",
            "Must be `active` or `suspended`. Use DELETE to deactivate.",
        )),
    }
}
