//! How every endpoint moves an order: one read of caller and order, the rule of the transition
//! table, one conditional write.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde_json::Value;
use shared::auth::{Claims, Verifier};
use shared::domain::ids::OrderId;
use shared::domain::order::{
    ActorContext, Idempotency, Order, Timers, Transition, TransitionError,
};
use shared::domain::text::Note;
use shared::domain::user::Caller;
use shared::error::{Code, Error, Result, catalogue};
use shared::store::{Store, WriteOutcome};

use super::{OrderView, Orders, read};
use crate::http::{Endpoint, FieldSet, Reply, Request, body};
use crate::openapi::{Answer, Operation};

/// How often a transition is tried again after someone else changed the order. It is possible again
/// only if the rule still allows it.
const ATTEMPTS: usize = 5;

body! {
    /// A note on a transition.
    pub(super) struct WithNote {
        note: Option<Note>,
    }
}

body! {
    /// The reason for a transition.
    pub(super) struct WithReason {
        /// Why. The order's history shows it.
        pub(super) reason: Note,
    }
}

impl From<WithNote> for Option<Note> {
    fn from(body: WithNote) -> Self {
        body.note
    }
}

impl From<WithReason> for Option<Note> {
    fn from(body: WithReason) -> Self {
        Some(body.reason)
    }
}

/// Handles an endpoint that makes one transition and takes at most a note or a reason.
///
/// # Errors
/// 404 for an order that the caller may not see, 403 for a transition that is not the caller's to
/// make, 409 with the current state and version when the order is in another state (because someone
/// else was faster, for example), 412 for another version than `If-Match` names.
pub(super) async fn handle<B: FieldSet + Into<Option<Note>>>(
    context: &Orders,
    request: &Request,
    endpoint: &Endpoint,
    transition: Transition,
) -> Result<Reply> {
    // The caller is checked first: only those who may send a request learn what is wrong with it.
    let parsed = TransitionRequest::parse(request, endpoint, &context.verifier)?;
    let note = request.body_as::<B>()?.into();
    let (caller, order) =
        read::with_caller(&context.store, &parsed.claims, &parsed.order_id).await?;
    let command = parsed.command(transition, caller).note(note);
    let check = |version| request.check_if_match(version);
    command.execute(&context.store, &context.timers, order, check, ()).await?.reply(&command.caller)
}

/// Describes an endpoint that makes a transition and takes the body `B`.
pub(super) fn describe<B: FieldSet + JsonSchema>(
    endpoint: &Endpoint,
    summary: &'static str,
    example: Value,
) -> Operation {
    Operation::new(endpoint, summary)
        .id::<OrderId>()
        .body::<B>(example)
        .answer(Answer::ok::<OrderView<'_>>("The order after the transition.").etag())
        .idempotent()
        .if_match()
        .problems(REFUSALS)
}

/// The reasons why a transition may be refused.
const REFUSALS: &[&Code] = &[
    &catalogue::FORBIDDEN,
    &catalogue::OWN_ORDER,
    &catalogue::ILLEGAL_TRANSITION,
    &catalogue::ORDER_NOT_FUNDED,
    &catalogue::NO_REVISIONS_LEFT,
    &catalogue::NO_HANDOVERS_LEFT,
    &catalogue::WORKER_NOT_ELIGIBLE,
    &catalogue::WORKER_NOT_EXPECTED,
    &catalogue::VERSION_CONFLICT,
];

/// What a request for a transition says outside its body.
pub(crate) struct TransitionRequest {
    /// Who is calling.
    pub(crate) claims: Claims,
    /// The order in the path.
    pub(crate) order_id: OrderId,
    key: Option<Idempotency>,
}

impl TransitionRequest {
    /// Reads access token, path and `Idempotency-Key`.
    ///
    /// # Errors
    /// 401 and 403 for the caller, 404 for a malformed id, 422 for a malformed key.
    pub(crate) fn parse(
        request: &Request,
        endpoint: &Endpoint,
        verifier: &Verifier,
    ) -> Result<Self> {
        let claims = request.caller(endpoint.who, verifier)?;
        let order_id = request.path_id("order")?;
        let key = request.idempotency(endpoint, &claims.sub)?;
        Ok(Self { claims, order_id, key })
    }

    /// The command to make this transition, on behalf of `caller`.
    pub(crate) fn command(self, transition: Transition, caller: Caller) -> TransitionCommand {
        TransitionCommand { transition, caller, note: None, worker: None, key: self.key }
    }
}

/// A transition that a user wants to make.
#[derive(Debug, Clone)]
pub(crate) struct TransitionCommand {
    pub(crate) transition: Transition,
    pub(crate) caller: Caller,
    pub(crate) note: Option<Note>,
    pub(crate) worker: Option<Caller>,
    pub(crate) key: Option<Idempotency>,
}

impl TransitionCommand {
    /// With a note or a reason.
    pub(crate) fn note(self, note: Option<Note>) -> Self {
        Self { note, ..self }
    }

    /// For this worker.
    pub(crate) fn worker(self, worker: Option<Caller>) -> Self {
        Self { worker, ..self }
    }

    /// Makes the transition, starting from an order that was just read. When someone else changes
    /// the order first, the rule decides again, on the order as it is then.
    ///
    /// `check_version` refuses a version that the caller does not expect, and `before_write` runs
    /// before each attempt to write.
    ///
    /// # Errors
    /// What the rule, `check_version` and `before_write` refuse; `version_conflict` (409) when
    /// others change the order every time.
    pub(crate) async fn execute(
        &self,
        store: &Store,
        timers: &Timers,
        mut order: Order,
        check_version: impl Fn(u64) -> Result<()> + Send,
        mut before_write: impl BeforeWrite,
    ) -> Result<TransitionOutcome> {
        for _ in 0..ATTEMPTS {
            if let Some(key) = &self.key
                && let Some(first) = order.replay(key)?
            {
                return Ok(TransitionOutcome::Replayed(first));
            }
            let by = self.actor(Timestamp::now());
            let next = order.transition(self.transition, by.clone(), timers);
            if next != Err(TransitionError::NotFound) {
                // Only once it is known that the caller may see the order.
                check_version(order.version)?;
            }
            let next = before_write.prepare(&order, next, &by).await?;
            match store.advance_order(&next, &order).await? {
                WriteOutcome::Written => {
                    let (name, id, status) =
                        (self.transition.as_str(), &next.id, next.status.as_str());
                    tracing::debug!(order = %id, by = %self.caller.id, to = status, "{name}: {id} is {status}");
                    return Ok(TransitionOutcome::Applied(next));
                }
                WriteOutcome::Conflict(current) => {
                    order = current.ok_or_else(|| Error::not_found("order"))?
                }
            }
        }
        let detail = "Other requests are changing the order. Read it and try again.";
        Err(Error::new(&catalogue::VERSION_CONFLICT, detail).with_member("version", order.version))
    }

    fn actor(&self, at: Timestamp) -> ActorContext {
        ActorContext::user(&self.caller, at)
            .note(self.note.clone())
            .worker(self.worker.clone())
            .idempotency(self.key.clone())
    }
}

/// What became of a transition.
#[derive(Debug)]
pub(crate) enum TransitionOutcome {
    /// It was made now.
    Applied(Order),
    /// An earlier request with the same key made it. This is the order as that request left it.
    Replayed(Order),
}

impl TransitionOutcome {
    /// Replies with the order.
    ///
    /// # Errors
    /// None of its own.
    pub(crate) fn reply(&self, caller: &Caller) -> Result<Reply> {
        match self {
            Self::Applied(order) => OrderView::reply(order, caller, false),
            Self::Replayed(order) => OrderView::reply(order, caller, true),
        }
    }
}

/// A step that must succeed before a transition is written.
pub(crate) trait BeforeWrite: Send {
    /// Takes the order as it is and what the rule makes of it; returns what is to be written. It is
    /// called again when the order was changed by someone else.
    fn prepare(
        &mut self,
        from: &Order,
        next: std::result::Result<Order, TransitionError>,
        by: &ActorContext,
    ) -> impl Future<Output = Result<Order>> + Send;
}

/// No step: what the rule says is written.
impl BeforeWrite for () {
    async fn prepare(
        &mut self,
        _: &Order,
        next: std::result::Result<Order, TransitionError>,
        _: &ActorContext,
    ) -> Result<Order> {
        next.map_err(Error::from)
    }
}
