//! How every endpoint reads the order in its path: with the caller, in one round trip.

use jiff::Timestamp;
use shared::auth::Claims;
use shared::domain::ids::{OrderId, UserId};
use shared::domain::order::{Order, Visibility};
use shared::domain::user::Caller;
use shared::error::{Error, Result};
use shared::store::{Account, Store};

use crate::http::current_caller;

/// The caller as of now, and the order; whether the caller may know of it is the rule's to say that
/// follows.
///
/// # Errors
/// As [`current_caller`]; 404 when there is no such order.
pub(crate) async fn with_caller(
    store: &Store,
    claims: &Claims,
    id: &OrderId,
) -> Result<(Caller, Order)> {
    let (state, order) = store.auth_state_and_order(&claims.sub, &claims.sid, id).await?;
    let caller = current_caller(claims, &state, Timestamp::now())?;
    Ok((caller, order.ok_or_else(|| Error::not_found("order"))?))
}

/// As [`with_caller`], with another user's account, still in one round trip.
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

/// As [`with_caller`], for an order that the caller may know of; any other is not there.
pub(crate) async fn visible(
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
