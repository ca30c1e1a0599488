//! Reads the order in the path and the caller's account, in one round trip.

use jiff::Timestamp;
use shared::auth::Claims;
use shared::domain::ids::{OrderId, UserId};
use shared::domain::order::{Order, Visibility};
use shared::domain::user::Caller;
use shared::error::{Error, Result};
use shared::store::{Account, Store};

use crate::http::current_caller;

/// Returns the caller as of now, and the order. Does not check whether the caller may see the
/// order: the order's own rules do that, such as [`Order::transition`].
///
/// # Errors
/// Those of [`current_caller`]; 404 when there is no such order.
pub(crate) async fn with_caller(
    store: &Store,
    claims: &Claims,
    id: &OrderId,
) -> Result<(Caller, Order)> {
    let (state, order) = store.auth_state_and_order(&claims.sub, &claims.sid, id).await?;
    let caller = current_caller(claims, &state, Timestamp::now())?;
    Ok((caller, order.ok_or_else(|| Error::not_found("order"))?))
}

/// Like [`with_caller`], but also reads another user's account in the same round trip.
///
/// # Errors
/// Those of [`with_caller`].
pub(crate) async fn with_caller_and_user(
    store: &Store,
    claims: &Claims,
    id: &OrderId,
    user: Option<&UserId>,
) -> Result<(Caller, Order, Option<Account>)> {
    let (state, order, account) =
        store.auth_state_order_and_user(&claims.sub, &claims.sid, id, user).await?;
    let caller = current_caller(claims, &state, Timestamp::now())?;
    Ok((caller, order.ok_or_else(|| Error::not_found("order"))?, account))
}

/// Like [`with_caller`], but returns only orders that the caller may see.
///
/// # Errors
/// Those of [`with_caller`]; 404 when the caller may not see the order.
pub(crate) async fn visible_order(
    store: &Store,
    claims: &Claims,
    id: &OrderId,
) -> Result<(Caller, Order)> {
    let (caller, order) = with_caller(store, claims, id).await?;
    match order.visibility(&caller) {
        Visibility::None => Err(Error::not_found("order")),
        Visibility::Full | Visibility::Pool => Ok((caller, order)),
    }
}
