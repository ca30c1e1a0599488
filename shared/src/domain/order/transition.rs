//! People and timers move an order.

use jiff::Timestamp;

use super::history::{Actor, Event, EventKind, Idempotency};
use super::ledger::Ledger;
use super::state::{ActorKind, PaymentStatus, Status, Transition};
use super::table::{Guard, MAX_HANDOVERS, MAX_REVISIONS, Rule, TABLE};
use super::{Order, Timers, TransitionError, Visibility};
use crate::domain::ids::OrderId;
use crate::domain::service::Service;
use crate::domain::text::Note;
use crate::domain::user::{Caller, Person, Role};

/// Who asks for a move. Stripe does not ask, it says what happened: [`Order::payment_fact`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// A user, as stored now.
    User(Caller),
    /// The sweeper, for a deadline that has passed.
    Timer,
}

/// A request to move: who, when, and what comes with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActorContext {
    /// Who asks.
    pub who: Who,
    /// Now.
    pub at: Timestamp,
    /// What is said about it: a note or a reason.
    pub note: Option<Note>,
    /// The worker that a [`Transition::Reassign`] names, as stored now.
    pub worker: Option<Caller>,
    /// The request's `Idempotency-Key`, when it carried one.
    pub idempotency: Option<Idempotency>,
}

impl ActorContext {
    /// A user, with nothing else.
    pub fn user(caller: &Caller, at: Timestamp) -> Self {
        Self { who: Who::User(caller.clone()), at, note: None, worker: None, idempotency: None }
    }

    /// A timer.
    pub fn timer(at: Timestamp) -> Self {
        Self { who: Who::Timer, at, note: None, worker: None, idempotency: None }
    }

    /// With a note.
    pub fn note(self, note: Option<Note>) -> Self {
        Self { note, ..self }
    }

    /// Naming a worker.
    pub fn worker(self, worker: Option<Caller>) -> Self {
        Self { worker, ..self }
    }

    /// With an `Idempotency-Key`.
    pub fn idempotency(self, idempotency: Option<Idempotency>) -> Self {
        Self { idempotency, ..self }
    }
}

/// What an event says besides the state it leaves behind.
pub(super) struct Change {
    pub(super) kind: EventKind,
    pub(super) actor: Actor,
    pub(super) at: Timestamp,
    pub(super) note: Option<Note>,
    pub(super) idempotency: Option<Idempotency>,
}

impl Order {
    /// A new order of this service, at its price of now, version 1. `by.note` is what the client
    /// adds.
    ///
    /// Refused when the caller is not an active client ([`TransitionError::Inactive`],
    /// [`TransitionError::Forbidden`]) or the service is not active
    /// ([`TransitionError::ServiceNotFound`]).
    pub fn place(
        id: OrderId,
        service: &Service,
        by: ActorContext,
        timers: &Timers,
    ) -> Result<Self, TransitionError> {
        let Who::User(client) = &by.who else { return Err(TransitionError::Forbidden) };
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
            note: by.note,
            version: 0,
            created_at: by.at,
            updated_at: by.at,
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
        order.enter(Status::Pending, by.at, timers);
        // The note is the order's own: the event does not repeat it.
        Ok(order.record(Change {
            kind: EventKind::Transition(Transition::Place),
            actor,
            at: by.at,
            note: None,
            idempotency: by.idempotency,
        }))
    }

    /// The order after a move by a user or a timer.
    ///
    /// Refused, in this order: to whom is not active ([`TransitionError::Inactive`]); to whom may
    /// not know of it ([`TransitionError::NotFound`]); to whom never makes this move
    /// ([`TransitionError::Forbidden`], [`TransitionError::OwnOrder`]); in a state that it does not
    /// lead out of ([`TransitionError::Illegal`]); by a guard ([`TransitionError::Guard`]).
    pub fn transition(
        &self,
        transition: Transition,
        by: ActorContext,
        timers: &Timers,
    ) -> Result<Self, TransitionError> {
        let (rule, kind) = self.check(transition, &by)?;
        let actor = match &by.who {
            Who::User(caller) => Actor::user(kind, caller),
            Who::Timer => Actor::system(kind),
        };
        let worker = match (rule.to, transition, &by.who) {
            (Status::Open, ..) => None,
            (_, Transition::Accept, Who::User(caller)) => Some(Person::from(caller)),
            (_, Transition::Reassign, _) => by.worker.as_ref().map(Person::from),
            _ => self.worker.clone(),
        };
        let at = by.at.max(self.updated_at);
        let mut next = self.clone();
        next.worker = worker;
        next.revisions += u32::from(transition.is_revision());
        next.handovers += u32::from(transition.is_handover());
        next.enter(rule.to, at, timers);
        let kind = EventKind::Transition(transition);
        Ok(next.record(Change { kind, actor, at, note: by.note, idempotency: by.idempotency }))
    }

    /// The move that time makes now, if its deadline has passed. A timer that comes after the order
    /// has moved on finds nothing due.
    pub fn due(&self, now: Timestamp) -> Option<Transition> {
        let rule = TABLE.iter().find(|rule| {
            rule.from == Some(self.status) && rule.actors.contains(&ActorKind::Timer)
        })?;
        self.rule(rule.transition, ActorKind::Timer, now, None).ok().map(|rule| rule.transition)
    }

    /// The row that this request goes by, and as what its maker stands to the order.
    pub(super) fn check(
        &self,
        transition: Transition,
        by: &ActorContext,
    ) -> Result<(&'static Rule, ActorKind), TransitionError> {
        let kind = match &by.who {
            Who::Timer => ActorKind::Timer,
            Who::User(caller) => self.auth_state(transition, caller)?,
        };
        Ok((self.rule(transition, kind, by.at, by.worker.as_ref())?, kind))
    }

    fn auth_state(
        &self,
        transition: Transition,
        caller: &Caller,
    ) -> Result<ActorKind, TransitionError> {
        if !caller.active {
            return Err(TransitionError::Inactive);
        }
        let claims = transition == Transition::Accept && caller.role == Role::Worker;
        // Who was too late for an order of the pool is told so. Any other order is none of their
        // business.
        let may_know = self.visibility(caller) != Visibility::None || claims && self.was_open();
        let is_client = self.client.id == caller.id;
        match caller.role {
            _ if !may_know => Err(TransitionError::NotFound),
            Role::Admin => Ok(ActorKind::Admin),
            Role::Client if is_client => Ok(ActorKind::Client),
            // A worker who was a client once.
            Role::Worker if is_client && claims => Err(TransitionError::OwnOrder),
            Role::Worker if claims || self.is_worker(caller) => Ok(ActorKind::Worker),
            Role::Client | Role::Worker => Err(TransitionError::Forbidden),
        }
    }

    /// The row for a move by someone of this standing.
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
        let mut refusal = None;
        for rule in rules.filter(|rule| rule.from == Some(status)) {
            match rule.guards.iter().copied().find(|guard| !self.holds(*guard, at, worker)) {
                None => return Ok(rule),
                Some(guard) => {
                    refusal = refusal.or(Some(TransitionError::Guard { guard, status, version }))
                }
            }
        }
        Err(refusal.unwrap_or(TransitionError::Illegal { transition, status, version }))
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

    /// Enters a state of work: its timer replaces that of the state before.
    pub(super) fn enter(&mut self, status: Status, at: Timestamp, timers: &Timers) {
        self.status = status;
        self.deadline = status.timer().map(|timer| timers.deadline(timer, at));
        if status == Status::Canceled && !self.is_charged() {
            // Whatever attempt was under way is to come to nothing; should it succeed after all,
            // the money goes back.
            self.payment_status = PaymentStatus::Unpaid;
        }
    }

    /// Closes a change with its event, and with the state of payment that follows from it.
    pub(super) fn record(mut self, change: Change) -> Self {
        // Whatever clock an event is from, the history does not go back in time.
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
