//! How every endpoint moves an order: one read of caller and order, the rule, one conditional
//! write.

use jiff::Timestamp;
use shared::auth::{Claims, Verifier};
use shared::domain::ids::OrderId;
use shared::domain::order::{
    ActorContext, Idempotency, Order, Timers, Transition, TransitionError,
};
use shared::domain::text::Note;
use shared::domain::user::Caller;
use shared::error::{Error, Result, catalogue};
use shared::store::{Store, WriteOutcome};

use super::described::{WithNote, WithReason};
use super::{OrderView, read};
use crate::context::Orders;
use crate::http::{Reply, Request, bearer, idempotency};

/// How often a move is tried again because the order changed under it in a way that leaves the move
/// possible.
const ATTEMPTS: usize = 5;

/// Makes `transition` for the caller, with the `note` that the body may hold, and replies with the
/// order.
///
/// # Errors
/// 404 for an order that the caller may not know of, 403 for a move that is not the caller's, 409
/// with the current state and version when the order is elsewhere (someone else was faster, say),
/// 412 for another version than `If-Match` names.
pub(super) async fn with_note(
    context: &Orders,
    request: &Request,
    operation: &'static str,
    transition: Transition,
) -> Result<Reply> {
    // Who is calling comes first: what is wrong with a request is said to those only who may make
    // it.
    let asked = Asked::of(request, &context.verifier, operation)?;
    let WithNote { note } = request.body_as()?;
    asked.directly(context, transition, note).await
}

/// As [`with_note`], with the `reason` that the body must hold.
pub(super) async fn with_reason(
    context: &Orders,
    request: &Request,
    operation: &'static str,
    transition: Transition,
) -> Result<Reply> {
    let asked = Asked::of(request, &context.verifier, operation)?;
    let WithReason { reason } = request.body_as()?;
    asked.directly(context, transition, Some(reason)).await
}

/// What a request to move an order says before anything is read.
pub(crate) struct Asked<'a> {
    request: &'a Request,
    operation: &'static str,
    /// Who asks.
    pub(crate) claims: Claims,
    /// Which order.
    pub(crate) id: OrderId,
    key: Option<Idempotency>,
}

impl<'a> Asked<'a> {
    /// From token, path and `Idempotency-Key`.
    pub(crate) fn of(
        request: &'a Request,
        verifier: &Verifier,
        operation: &'static str,
    ) -> Result<Self> {
        let claims = bearer(request, verifier)?;
        let id = request.path_id("order")?;
        let key = idempotency(request, &claims.sub, operation)?;
        Ok(Self { request, operation, claims, id, key })
    }

    /// The move that it asks for.
    pub(crate) fn to_move(&self, transition: Transition, caller: Caller) -> Ask {
        Ask { transition, caller, note: None, worker: None, key: self.key.clone() }
    }

    /// Makes a move that takes nothing but a note, and replies with the order.
    pub(super) async fn directly(
        &self,
        context: &Orders,
        transition: Transition,
        note: Option<Note>,
    ) -> Result<Reply> {
        let (caller, order) = read::with_caller(&context.store, &self.claims, &self.id).await?;
        let ask = self.to_move(transition, caller).note(note);
        self.make(Mover { store: &context.store, timers: &context.timers }, order, ask, Directly)
            .await
    }

    /// Makes the move, and replies with the order.
    pub(crate) async fn make(
        &self,
        mover: Mover<'_>,
        order: Order,
        ask: Ask,
        prepare: impl Prepare,
    ) -> Result<Reply> {
        let made = mover
            .make(order, &ask, |version| self.request.check_if_match(version), prepare)
            .await?;
        if let Made::Now(order) = &made {
            let (id, status) = (&order.id, order.status.as_str());
            tracing::debug!(order = %id, by = %ask.caller.id, to = status, "{}: {id} is {status}", self.operation);
        }
        match made {
            Made::Now(order) => OrderView::reply(&order, &ask.caller, false),
            Made::Before(order) => OrderView::reply(&order, &ask.caller, true),
        }
    }
}

/// A move that a user asks for.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) transition: Transition,
    pub(crate) caller: Caller,
    pub(crate) note: Option<Note>,
    pub(crate) worker: Option<Caller>,
    pub(crate) key: Option<Idempotency>,
}

impl Ask {
    /// With a note or a reason.
    pub(crate) fn note(self, note: Option<Note>) -> Self {
        Self { note, ..self }
    }

    /// Naming a worker.
    pub(crate) fn worker(self, worker: Option<Caller>) -> Self {
        Self { worker, ..self }
    }

    fn by(&self, at: Timestamp) -> ActorContext {
        ActorContext::user(&self.caller, at)
            .note(self.note.clone())
            .worker(self.worker.clone())
            .idempotency(self.key.clone())
    }
}

/// What has to be done elsewhere before a move is written.
pub(crate) trait Prepare: Send {
    /// From what the rule says, what is to be written. It may be asked again, when the order
    /// changed meanwhile.
    fn prepare(
        &mut self,
        from: &Order,
        moved: std::result::Result<Order, TransitionError>,
        by: &ActorContext,
    ) -> impl Future<Output = Result<Order>> + Send;
}

/// Nothing: what the rule says is written.
pub(crate) struct Directly;

impl Prepare for Directly {
    async fn prepare(
        &mut self,
        _: &Order,
        moved: std::result::Result<Order, TransitionError>,
        _: &ActorContext,
    ) -> Result<Order> {
        moved.map_err(Error::from)
    }
}

/// What became of a move.
#[derive(Debug)]
pub(crate) enum Made {
    /// It was made.
    Now(Order),
    /// The same request made it before; the order as it was then.
    Before(Order),
}

/// Moves orders.
#[derive(Clone, Copy)]
pub(crate) struct Mover<'a> {
    pub(crate) store: &'a Store,
    pub(crate) timers: &'a Timers,
}

impl Mover<'_> {
    /// Makes a move of an order that was just read. `expected` refuses versions that the caller
    /// does not want to move from.
    pub(crate) async fn make(
        self,
        mut order: Order,
        ask: &Ask,
        expected: impl Fn(u64) -> Result<()> + Send,
        mut prepare: impl Prepare,
    ) -> Result<Made> {
        for _ in 0..ATTEMPTS {
            if let Some(key) = &ask.key
                && let Some(before) = order.replay(key)?
            {
                return Ok(Made::Before(before));
            }
            let by = ask.by(Timestamp::now());
            let moved = order.transition(ask.transition, by.clone(), self.timers);
            if moved != Err(TransitionError::NotFound) {
                // Not before it is known that the caller may know of the order at all.
                expected(order.version)?;
            }
            let next = prepare.prepare(&order, moved, &by).await?;
            match self.store.advance_order(&next, &order).await? {
                WriteOutcome::Written => return Ok(Made::Now(next)),
                // Someone was faster. The rule decides anew on the order as it is now.
                WriteOutcome::Conflict(current) => {
                    order = current.ok_or_else(|| Error::not_found("order"))?
                }
            }
        }
        let detail = "The order is being changed by others. Read it, and try again.";
        Err(Error::new(&catalogue::VERSION_CONFLICT, detail).with("version", order.version))
    }
}
