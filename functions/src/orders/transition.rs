//! How every endpoint moves an order: one read of caller and order, the rule of the transition
//! table, one conditional write.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde_json::Value;
use shared::auth::{Claims, Verifier};
use shared::domain::ids::OrderId;
use shared::domain::order::{
    ActorContext, ActorKind, Idempotency, Order, TABLE, Timers, Transition, TransitionError,
};
use shared::domain::text::{Note, Reason};
use shared::domain::user::Caller;
use shared::error::{Code, Error, Result, catalogue};
use shared::store::{Store, WriteOutcome};

use super::{OrderView, Orders, read};
use crate::http::{Endpoint, FieldSet, Reply, Request, body};
use crate::openapi::{Answer, Operation};

/// How many times a transition is tried when other requests keep changing the order. Each attempt
/// checks the rule again.
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
        pub(super) reason: Reason,
    }
}

impl From<WithNote> for Option<Note> {
    fn from(body: WithNote) -> Self {
        body.note
    }
}

impl From<WithReason> for Option<Note> {
    fn from(body: WithReason) -> Self {
        Some(body.reason.into())
    }
}

/// Handles an endpoint that makes one transition and takes at most a note or a reason.
///
/// # Errors
/// 404 for an order that the caller may not see; 403 for a transition that the caller can never
/// make; 409 with the current status and version when the order is in another status (because
/// someone else was faster, for example); 412 when `If-Match` names another version.
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

/// Describes an endpoint that makes one of these transitions and takes the body `B`.
pub(super) fn describe<B: FieldSet + JsonSchema>(
    endpoint: &Endpoint,
    transitions: &[Transition],
    summary: &'static str,
    example: Value,
) -> Operation {
    Operation::new(endpoint, summary)
        .id::<OrderId>()
        .body::<B>(example)
        .answer(Answer::ok::<OrderView<'_>>("The order after the transition.").etag())
        .idempotent()
        .if_match()
        .problems(&refusals(transitions))
}

/// The codes with which the transition table may refuse one of these transitions to a user.
fn refusals(transitions: &[Transition]) -> Vec<&'static Code> {
    let mut codes =
        vec![&catalogue::FORBIDDEN, &catalogue::ILLEGAL_TRANSITION, &catalogue::VERSION_CONFLICT];
    if transitions.contains(&Transition::Accept) {
        codes.push(&catalogue::OWN_ORDER);
    }
    let is_user = |actor: &ActorKind| !matches!(actor, ActorKind::Stripe | ActorKind::Timer);
    let mut rules: Vec<_> = TABLE
        .iter()
        .filter(|rule| transitions.contains(&rule.transition) && rule.actors.iter().any(is_user))
        .collect();
    // Where rows differ only in their guards, a refusal names a guard of the first row.
    rules.dedup_by_key(|rule| (rule.transition, rule.from));
    codes.extend(rules.iter().flat_map(|rule| rule.guards).map(|guard| Code::of_guard(*guard)));
    codes
}

/// The parts of a request for a transition that are outside its body.
pub(crate) struct TransitionRequest {
    /// Who is calling.
    pub(crate) claims: Claims,
    /// The order in the path.
    pub(crate) order_id: OrderId,
    key: Option<Idempotency>,
}

impl TransitionRequest {
    /// Reads the access token, the path and `Idempotency-Key`.
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

    /// Returns the command to make this transition on behalf of `caller`.
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
    /// Sets the note or the reason.
    pub(crate) fn note(self, note: Option<Note>) -> Self {
        Self { note, ..self }
    }

    /// Sets the worker that a reassignment names.
    pub(crate) fn worker(self, worker: Option<Caller>) -> Self {
        Self { worker, ..self }
    }

    /// Makes the transition, starting from an order that was just read. When someone else changes
    /// the order first, checks the rule again on the changed order.
    ///
    /// `check_version` refuses a version that the caller does not expect, and `before_write` runs
    /// before each attempt to write.
    ///
    /// # Errors
    /// Those of the rule, of `check_version` and of `before_write`; `version_conflict` (409) when
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

/// The outcome of a transition.
#[derive(Debug)]
pub(crate) enum TransitionOutcome {
    /// This request made it.
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
    /// Gets the current order and the result of the rule: the order after the transition, or the
    /// refusal. Returns the order to write. It is called again for each attempt.
    fn prepare(
        &mut self,
        from: &Order,
        next: std::result::Result<Order, TransitionError>,
        by: &ActorContext,
    ) -> impl Future<Output = Result<Order>> + Send;
}

/// No step: writes the result of the rule.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_lists_only_the_refusals_that_its_transition_can_have() {
        let listed = |transition| {
            let codes = refusals(&[transition]);
            codes.iter().skip(3).map(|code| code.code).collect::<Vec<_>>()
        };
        assert_eq!(listed(Transition::Accept), ["own_order", "order_not_funded"]);
        assert_eq!(listed(Transition::Reassign), ["no_handovers_left", "worker_not_eligible"]);
        assert_eq!(listed(Transition::RequestRevision), ["no_revisions_left"]);
        assert_eq!(listed(Transition::Complete), [""; 0], "only the timer has a guard");
    }
}
