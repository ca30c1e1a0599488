//! How people and timers move an order.

use jiff::Timestamp;

use super::aggregate::Order;
use super::history::{Actor, Event, EventKind, Idempotency};
use super::ledger::Ledger;
use super::state::{ActorKind, PaymentStatus, Status, Transition};
use super::table::{Guard, MAX_HANDOVERS, MAX_REVISIONS, Rule, TABLE};
use super::timers::Timers;
use super::transition_error::TransitionError;
use super::visibility::Visibility;
use crate::domain::ids::OrderId;
use crate::domain::service::Service;
use crate::domain::text::Note;
use crate::domain::user::{Caller, Person, Role};

/// Who requests a transition. Stripe requests nothing: it reports what happened, which
/// [`Order::apply_payment_fact`] applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requester {
    /// A user, as currently stored.
    User(Caller),
    /// The timer sweep, after a deadline has passed.
    Timer,
}

/// Who requests a change to an order, when, and with what details.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActorContext {
    /// Who requests it.
    pub requester: Requester,
    /// The current time.
    pub at: Timestamp,
    /// The requester's note or reason.
    pub note: Option<Note>,
    /// The worker named by a [`Transition::Reassign`], as currently stored.
    pub worker: Option<Caller>,
    /// The request's `Idempotency-Key`, if it carried one.
    pub idempotency: Option<Idempotency>,
}

impl ActorContext {
    /// A request by a user, without details.
    pub fn user(caller: &Caller, at: Timestamp) -> Self {
        Self::new(Requester::User(caller.clone()), at)
    }

    /// A request by a timer.
    pub fn timer(at: Timestamp) -> Self {
        Self::new(Requester::Timer, at)
    }

    fn new(requester: Requester, at: Timestamp) -> Self {
        Self { requester, at, note: None, worker: None, idempotency: None }
    }

    /// Adds a note.
    pub fn note(self, note: Option<Note>) -> Self {
        Self { note, ..self }
    }

    /// Names a worker.
    pub fn worker(self, worker: Option<Caller>) -> Self {
        Self { worker, ..self }
    }

    /// Adds the request's `Idempotency-Key`.
    pub fn idempotency(self, idempotency: Option<Idempotency>) -> Self {
        Self { idempotency, ..self }
    }
}

/// The parts of an event that do not follow from the order's new state.
pub(super) struct Change {
    kind: EventKind,
    actor: Actor,
    at: Timestamp,
    note: Option<Note>,
    idempotency: Option<Idempotency>,
}

impl Change {
    /// A change that a user or a timer requested.
    pub(super) fn requested(kind: EventKind, actor: Actor, context: ActorContext) -> Self {
        let ActorContext { at, note, idempotency, .. } = context;
        Self { kind, actor, at, note, idempotency }
    }

    /// A change that Stripe reported.
    pub(super) fn reported_by_stripe(kind: EventKind, at: Timestamp) -> Self {
        let actor = Actor::system(ActorKind::Stripe);
        Self { kind, actor, at, note: None, idempotency: None }
    }
}

impl Order {
    /// Places an order for this service at its current price. The order has version 1 and keeps
    /// `context.note` as the client's note.
    ///
    /// # Errors
    ///
    /// [`TransitionError::Inactive`] if the caller is not active, [`TransitionError::Forbidden`] if
    /// the caller is not a client, and [`TransitionError::ServiceNotFound`] if the service is not
    /// active.
    pub fn place(
        id: OrderId,
        service: &Service,
        mut context: ActorContext,
        timers: &Timers,
    ) -> Result<Self, TransitionError> {
        let Requester::User(client) = &context.requester else {
            return Err(TransitionError::Forbidden);
        };
        if !client.active {
            return Err(TransitionError::Inactive);
        }
        if client.role != Role::Client {
            return Err(TransitionError::Forbidden);
        }
        if !service.is_active() {
            return Err(TransitionError::ServiceNotFound);
        }
        let actor = Actor::user(ActorKind::Client, client);
        let mut order = Self {
            id,
            status: Status::Pending,
            payment_status: PaymentStatus::Unpaid,
            service: service.into(),
            price: service.price,
            client: client.into(),
            worker: None,
            note: context.note.take(),
            version: 0,
            created_at: context.at,
            updated_at: context.at,
            deadline: None,
            payment_intent: None,
            intent_canceled: false,
            revisions: 0,
            handovers: 0,
            refunds: Vec::new(),
            refused_refunds: 0,
            chargebacks: Vec::new(),
            ledger: Ledger::default(),
            history: Vec::new(),
        };
        order.enter(Status::Pending, context.at, timers);
        // The order itself keeps the note, so the event does not repeat it.
        let kind = EventKind::Transition(Transition::Place);
        Ok(order.record(Change::requested(kind, actor, context)))
    }

    /// Returns the order after a transition by a user or a timer.
    ///
    /// # Errors
    ///
    /// Checked in this order:
    ///
    /// 1. [`TransitionError::Inactive`] if the user is not active
    /// 2. [`TransitionError::NotFound`] if the user may not know of the order
    /// 3. [`TransitionError::Forbidden`] or [`TransitionError::OwnOrder`] if the user can never
    ///    make this transition
    /// 4. [`TransitionError::Illegal`] if the transition is not possible in the current status
    /// 5. [`TransitionError::Guard`] if a guard does not hold
    pub fn transition(
        &self,
        transition: Transition,
        mut context: ActorContext,
        timers: &Timers,
    ) -> Result<Self, TransitionError> {
        let (rule, kind) = self.check(transition, &context)?;
        let actor = match &context.requester {
            Requester::User(caller) => Actor::user(kind, caller),
            Requester::Timer => Actor::system(kind),
        };
        let worker = match (rule.to, transition, &context.requester) {
            (Status::Open, ..) => None,
            (_, Transition::Accept, Requester::User(caller)) => Some(Person::from(caller)),
            (_, Transition::Reassign, _) => context.worker.as_ref().map(Person::from),
            _ => self.worker.clone(),
        };
        // A clock that runs behind does not shorten the new deadline.
        context.at = context.at.max(self.updated_at);
        let mut next = self.clone();
        next.worker = worker;
        next.revisions += u32::from(transition.is_revision());
        next.handovers += u32::from(transition.is_handover());
        next.enter(rule.to, context.at, timers);
        let kind = EventKind::Transition(transition);
        Ok(next.record(Change::requested(kind, actor, context)))
    }

    /// Returns the timer's transition if the order's deadline has passed. If the order has moved on
    /// before the timer fires, nothing is due.
    pub fn due(&self, now: Timestamp) -> Option<Transition> {
        let rule = TABLE.iter().find(|rule| {
            rule.from == Some(self.status) && rule.actors.contains(&ActorKind::Timer)
        })?;
        self.rule(rule.transition, ActorKind::Timer, now, None).ok().map(|rule| rule.transition)
    }

    /// Returns the transitions that this user can make now, in the order of [`Transition::ALL`].
    /// These are exactly the ones that [`Order::transition`] would not refuse.
    pub fn actions(&self, caller: &Caller) -> Vec<Transition> {
        let context = ActorContext::user(caller, self.updated_at);
        let is_possible = |t: &Transition| self.check(*t, &context).is_ok();
        Transition::ALL.into_iter().filter(is_possible).collect()
    }

    /// Like [`Order::actions`], but for any active user of this kind. Pass
    /// [`ActorKind::Worker`] for a worker who sees the order in the pool.
    pub fn actions_as(&self, kind: ActorKind) -> Vec<Transition> {
        let is_possible = |t: &Transition| self.rule(*t, kind, self.updated_at, None).is_ok();
        Transition::ALL.into_iter().filter(is_possible).collect()
    }

    /// Returns the row that allows this request, and the requester's relation to the order.
    fn check(
        &self,
        transition: Transition,
        context: &ActorContext,
    ) -> Result<(&'static Rule, ActorKind), TransitionError> {
        let kind = match &context.requester {
            Requester::Timer => ActorKind::Timer,
            Requester::User(caller) => self.actor_kind(transition, caller)?,
        };
        Ok((self.rule(transition, kind, context.at, context.worker.as_ref())?, kind))
    }

    fn actor_kind(
        &self,
        transition: Transition,
        caller: &Caller,
    ) -> Result<ActorKind, TransitionError> {
        if !caller.active {
            return Err(TransitionError::Inactive);
        }
        let claims = transition == Transition::Accept && caller.role == Role::Worker;
        // A worker who claims an order too late learns that it is taken, because it was visible in
        // the pool. Orders that were never there stay hidden.
        let may_know = self.visibility(caller) != Visibility::None || claims && self.was_open();
        let is_client = self.client.id == caller.id;
        match caller.role {
            _ if !may_know => Err(TransitionError::NotFound),
            Role::Admin => Ok(ActorKind::Admin),
            Role::Client if is_client => Ok(ActorKind::Client),
            // A worker who placed the order earlier, as a client.
            Role::Worker if is_client && claims => Err(TransitionError::OwnOrder),
            Role::Worker if claims || self.is_worker(caller) => Ok(ActorKind::Worker),
            Role::Client | Role::Worker => Err(TransitionError::Forbidden),
        }
    }

    /// Returns the row that allows this transition to an actor of this kind.
    pub(super) fn rule(
        &self,
        transition: Transition,
        kind: ActorKind,
        at: Timestamp,
        worker: Option<&Caller>,
    ) -> Result<&'static Rule, TransitionError> {
        let (status, version) = (self.status, self.version);
        let mut rules = TABLE
            .iter()
            .filter(|rule| rule.transition == transition && rule.actors.contains(&kind))
            .peekable();
        if rules.peek().is_none() {
            return Err(TransitionError::Forbidden);
        }
        let mut first_failure = None;
        for rule in rules.filter(|rule| rule.from == Some(status)) {
            match rule.guards.iter().copied().find(|guard| !self.holds(*guard, at, worker)) {
                None => return Ok(rule),
                Some(guard) => {
                    first_failure =
                        first_failure.or(Some(TransitionError::Guard { guard, status, version }));
                }
            }
        }
        Err(first_failure.unwrap_or(TransitionError::Illegal { transition, status, version }))
    }

    fn holds(&self, guard: Guard, at: Timestamp, worker: Option<&Caller>) -> bool {
        match guard {
            Guard::Funded => self.is_funded(),
            Guard::RevisionsLeft => self.revisions < MAX_REVISIONS,
            Guard::HandoversLeft => self.handovers < MAX_HANDOVERS,
            Guard::NewWorker => worker.is_some_and(|worker| {
                worker.active
                    && worker.role == Role::Worker
                    && worker.id != self.client.id
                    && !self.is_worker(worker)
            }),
            Guard::NoWorker => worker.is_none(),
            Guard::Due => self.deadline.is_some_and(|deadline| deadline <= at),
        }
    }

    /// Enters a status. Its timer replaces the previous one.
    pub(super) fn enter(&mut self, status: Status, at: Timestamp, timers: &Timers) {
        self.status = status;
        self.deadline = status.timer().map(|timer| timers.deadline(timer, at));
        if status == Status::Canceled && !self.is_charged() {
            // A payment attempt in progress no longer counts. If it succeeds after all, the money
            // is refunded.
            self.payment_status = PaymentStatus::Unpaid;
        }
    }

    /// Completes a change: derives the payment status and adds the event.
    pub(super) fn record(mut self, change: Change) -> Self {
        // The history never goes back in time, even if the clocks of two functions differ.
        let at = change.at.max(self.updated_at);
        self.version += 1;
        self.updated_at = at;
        self.payment_status = self.derived_payment_status();
        self.history.push(Event {
            n: self.version,
            at,
            kind: change.kind,
            actor: change.actor,
            note: change.note,
            idempotency: change.idempotency,
            status: self.status,
            payment_status: self.payment_status,
            worker: self.worker.clone(),
            deadline: self.deadline,
        });
        self
    }
}
