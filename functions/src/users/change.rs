//! Changes a user on behalf of an administrator, for `users-update` and `users-delete`.

use jiff::Timestamp;
use shared::auth::Claims;
use shared::domain::ids::UserId;
use shared::domain::user::{User, UserChange};
use shared::error::{Code, Error, Result, catalogue};
use shared::store::{AdminCondition, ChangeOutcome};

use crate::http::{Request, current_caller};
use crate::runtime::context::Context;

/// How many times a change is retried when other requests change the user at the same time.
const ATTEMPTS: usize = 5;

/// The problem codes that both endpoints have.
pub(super) static PROBLEMS: [&Code; 3] =
    [&catalogue::OWN_ACCOUNT, &catalogue::LAST_ADMIN, &catalogue::VERSION_CONFLICT];

/// Changes a user, provided the caller is an active administrator at the moment of the write. When
/// two administrators suspend each other, only one succeeds.
///
/// # Errors
/// 404 for an unknown user; 409 for the caller's own role or status and for the last active
/// administrator; 412 when `If-Match` names another version; 422 for a change that the user's role
/// does not allow.
pub(super) async fn change_user(
    context: &Context,
    request: &Request,
    claims: &Claims,
    id: &UserId,
    change: UserChange,
) -> Result<User> {
    for _ in 0..ATTEMPTS {
        let now = Timestamp::now();
        let (state, target) =
            context.store.auth_state_and_account(&claims.sub, &claims.sid, id).await?;
        let caller = current_caller(claims, &state, now)?;
        let account = target.ok_or_else(|| Error::not_found("user"))?;
        request.check_if_match(account.user.version)?;
        let changed = account.user.changed(change.clone(), now);
        let changed = changed.map_err(|invalid| Error::invalid(vec![invalid.at("categories")]))?;
        let Some(user) = changed else { return Ok(account.user) };
        if caller.id == user.id && user.permissions_differ_from(&account.user) {
            let detail = "Administrators can't change their own role or status. Ask another \
                          administrator.";
            return Err(Error::new(&catalogue::OWN_ACCOUNT, detail));
        }
        let after = account.with_user(user);
        match context
            .store
            .replace_account(&account, &after, AdminCondition::ActiveAdmin(&caller.id))
            .await?
        {
            ChangeOutcome::Changed => {
                let User { id, role, status, .. } = &after.user;
                tracing::info!(by = %caller.id, user = %id, %role, %status, "changed {id}");
                return Ok(after.user);
            }
            ChangeOutcome::Stale => {}
        }
    }
    Err(Error::new(
        &catalogue::VERSION_CONFLICT,
        "Other requests are changing the user. Try again.",
    ))
}
