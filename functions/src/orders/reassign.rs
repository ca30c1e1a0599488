//! `POST /orders/{id}/reassign`: an administrator takes an order from its worker and gives it to
//! another, or back to the pool.

use serde_json::json;
use shared::domain::ids::UserId;
use shared::domain::order::Transition;
use shared::domain::user::Caller;
use shared::error::{Error, Result};

use super::transition::{self, TransitionRequest};
use super::{Orders, read};
use crate::http::{Endpoint, Reply, Request, Who, body};
use crate::openapi::Operation;

const ENDPOINT: Endpoint = Endpoint::post("/orders/{id}/reassign", Who::Admin);

body! {
    /// Who gets the order.
    struct Body {
        /// Another active worker. Without one, the order goes back to the pool.
        worker_id: Option<UserId>,
    }
}

/// Gives the order to the worker that `worker_id` names, or back to the pool.
///
/// # Errors
/// Those of every transition (see `docs/order-lifecycle.md`); 403 unless the caller is an
/// administrator; 422 when `worker_id` names no user; 409 `worker_not_eligible` when the user is
/// not an active worker, is the order's client or already has the order.
pub async fn handle(context: &Orders, request: Request) -> Result<Reply> {
    let parsed = TransitionRequest::parse(&request, &ENDPOINT, &context.verifier)?;
    let Body { worker_id } = request.body_as()?;
    let (caller, order, account) = read::with_caller_and_user(
        &context.store,
        &parsed.claims,
        &parsed.order_id,
        worker_id.as_ref(),
    )
    .await?;
    if worker_id.is_some() && account.is_none() {
        return Err(Error::field("worker_id", "unknown_user", "There is no such user."));
    }
    let worker = account.map(|account| Caller::from(&account.user));
    let command = parsed.command(Transition::Reassign, caller).worker(worker);
    let check = |version| request.check_if_match(version);
    command.execute(&context.store, &context.timers, order, check, ()).await?.reply(&command.caller)
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    let example = json!({"worker_id": UserId::derived(&["seed", "worker1"])});
    let summary = "Give an order to another worker, or back to the pool";
    transition::describe::<Body>(&ENDPOINT, &[Transition::Reassign], summary, example)
}
