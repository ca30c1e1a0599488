//! How every endpoint moves an order: one read of caller and order, the rule, one conditional write.

use jiff::Timestamp;
use shared::auth::Claims;
use shared::domain::ids::OrderId;
use shared::domain::order::{By, Refusal, Transition};
use shared::domain::text::Note;
use shared::error::{Error, Result, catalogue};
use shared::store::Outcome;

use super::described::WithNote;
use super::{OrderView, read};
use crate::context::Orders;
use crate::http::{Reply, Request, bearer, idempotency};

/// How often a move is tried again because the order changed under it in a way that leaves the move possible.
const ATTEMPTS: usize = 5;

/// Makes `transition` for the caller, with the `note` that the body may hold, and replies with the order.
///
/// # Errors
/// 404 for an order that the caller may not know of, 403 for a move that is not the caller's, 409 with the current state and version when
/// the order is elsewhere (someone else was faster, say), 412 for another version than `If-Match` names.
pub(super) async fn with_note(
    context: &Orders,
    request: &Request,
    operation: &'static str,
    transition: Transition,
) -> Result<Reply> {
    // Who is calling comes first: what is wrong with a request is said to those only who may make it.
    let claims = bearer(request, &context.verifier)?;
    let id: OrderId = request.path_id("order")?;
    let WithNote { note } = request.body_as()?;
    make(context, request, &claims, &id, operation, transition, note).await
}

async fn make(
    context: &Orders,
    request: &Request,
    claims: &Claims,
    id: &OrderId,
    operation: &'static str,
    transition: Transition,
    note: Option<Note>,
) -> Result<Reply> {
    let key = idempotency(request, &claims.sub, operation)?;
    let (caller, mut order) = read::with_caller(&context.store, claims, id).await?;
    for _ in 0..ATTEMPTS {
        if let Some(key) = &key
            && let Some(before) = order.replay(key)?
        {
            return OrderView::reply(&before, &caller, true);
        }
        let by = By::user(&caller, Timestamp::now()).note(note.clone()).idempotency(key.clone());
        let moved = order.transition(transition, by, &context.timers);
        if moved != Err(Refusal::NotFound) {
            // Not before it is known that the caller may know of the order at all.
            request.check_if_match(order.version)?;
        }
        let next = moved?;
        match context.store.advance_order(&next, &order).await? {
            Outcome::Written => {
                tracing::info!(order = %id, by = %caller.id, to = next.status.as_str(), "{operation}: {id} is {}", next.status.as_str());
                return OrderView::reply(&next, &caller, false);
            }
            // Someone was faster. The rule decides anew on the order as it is now.
            Outcome::Conflict(current) => order = current.ok_or_else(|| Error::not_found("order"))?,
        }
    }
    Err(Error::new(&catalogue::VERSION_CONFLICT, "The order is being changed by others. Read it, and try again.")
        .with("version", order.version))
}
