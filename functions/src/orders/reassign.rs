//! `POST /orders/{id}/reassign`: an administrator takes an order from its worker and gives it to
//! another, or back to the pool.

use serde_json::json;
use shared::domain::ids::UserId;
use shared::domain::order::Transition;
use shared::domain::user::{Caller, Role};
use shared::error::{Error, Result};

use super::described;
use super::mover::{Asked, Directly, Mover};
use super::read;
use crate::context::Orders;
use crate::http::{Reply, Request, body, only};
use crate::openapi::{Operation, Who};

body! {
    /// Who is to have the order.
    struct Body {
        /// Another active worker; without one, the order goes back to the pool.
        worker_id: Option<UserId>,
    }
}

/// The order, with the worker that `worker_id` names, or open when it names none.
///
/// # Errors
/// As every move of an order (see the transition table in `docs/order-lifecycle.md`), 403 for all
/// but administrators, 422 when there is no such user, 409 `worker_not_eligible` when that user is
/// no active worker, is the order's client or has the order already.
pub async fn handle(context: &Orders, request: Request) -> Result<Reply> {
    let asked = Asked::of(&request, &context.verifier, "orders-reassign")?;
    only(&asked.claims, Role::Admin)?;
    let Body { worker_id: worker } = request.body_as()?;
    let (caller, order, account) =
        read::with_caller_and_user(&context.store, &asked.claims, &asked.id, worker.as_ref())
            .await?;
    if worker.is_some() && account.is_none() {
        return Err(Error::field("worker_id", "unknown_user", "There is no such user."));
    }
    let ask = asked
        .to_move(Transition::Reassign, caller)
        .worker(account.map(|account| Caller::from(&account.user)));
    asked.make(Mover { store: &context.store, timers: &context.timers }, order, ask, Directly).await
}

/// In the API description.
pub fn describe() -> Operation {
    let example = json!({"worker_id": "usr_00000000000000000000000000"});
    let summary = "Give an order to another worker, or back to the pool";
    described::with::<Body>(
        "/orders/{id}/reassign",
        "orders-reassign",
        summary,
        Who::Admin,
        example,
    )
}
