//! What administrators do to users, be it `users-update` or `users-delete`.

use jiff::Timestamp;
use shared::auth::Claims;
use shared::domain::ids::UserId;
use shared::domain::user::{User, UserChange};
use shared::error::{Code, Error, Result, catalogue};
use shared::store::{AdminCondition, ChangeOutcome};

use crate::http::{Request, current_caller};
use crate::runtime::context::Context;

/// How often a change is tried that others get in the way of.
const ATTEMPTS: usize = 5;

/// The errors that both have.
pub(super) static PROBLEMS: [&Code; 3] =
    [&catalogue::OWN_ACCOUNT, &catalogue::LAST_ADMIN, &catalogue::VERSION_CONFLICT];

/// Changes a user, if the caller is an active administrator at the moment of the write: of two who
/// suspend each other, one does it.
///
/// # Errors
/// 404 for no such user, 409 for one's own role or status and for the last active administrator,
/// 412 when `If-Match` names another version, 422 for what no user can be made.
pub(super) async fn change(
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
            let detail = "Administrators change neither their own role nor their own status. Have another one do it.";
            return Err(Error::new(&catalogue::OWN_ACCOUNT, detail));
        }
        let after = account.with_user(user);
        match context
            .store
            .change_account(&account, &after, AdminCondition::ActiveAdmin(&caller.id))
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
        "The user is being changed by other requests. Try again.",
    ))
}
