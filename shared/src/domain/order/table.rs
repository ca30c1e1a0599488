//! The transition table: which moves an order can make, who makes them, under which guards and with which effects.
//!
//! It is data. The handlers, `actions` in every order response, the OpenAPI text, the diagram in the docs and the exhaustive test
//! all read this one list.

use serde::{Deserialize, Serialize};

use self::{ActorKind as A, Effect as E, Guard as G, Status as S, Transition as T};

/// Where the work on an order stands. Payment is a state of its own: [`PaymentStatus`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Placed, not yet paid.
    Pending,
    /// Paid, in the pool that workers claim from.
    Open,
    /// Claimed by a worker.
    Assigned,
    /// Delivered by its worker, to be accepted by its client.
    Delivered,
    /// Accepted. The end.
    Completed,
    /// Client and worker disagree; an admin decides.
    Disputed,
    /// Called off; what was paid goes back. The end.
    Canceled,
}

impl Status {
    /// Every state, in the order of the usual life.
    pub const ALL: [Self; 7] = [S::Pending, S::Open, S::Assigned, S::Delivered, S::Completed, S::Disputed, S::Canceled];

    /// `pending`.
    pub const fn as_str(self) -> &'static str {
        match self {
            S::Pending => "pending",
            S::Open => "open",
            S::Assigned => "assigned",
            S::Delivered => "delivered",
            S::Completed => "completed",
            S::Disputed => "disputed",
            S::Canceled => "canceled",
        }
    }

    /// Whether no move leads out of it.
    pub fn is_final(self) -> bool {
        !TABLE.iter().any(|rule| rule.from == Some(self))
    }

    /// The timer that is armed on entering it, if any.
    pub const fn timer(self) -> Option<Timer> {
        match self {
            S::Pending => Some(Timer::Unpaid),
            S::Open => Some(Timer::Unclaimed),
            S::Delivered => Some(Timer::Unreviewed),
            S::Assigned | S::Completed | S::Disputed | S::Canceled => None,
        }
    }
}

/// Where the money stands: what Stripe said last, seen through the order's ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// Nothing was paid and nothing is under way.
    Unpaid,
    /// Stripe waits for the bank.
    Processing,
    /// Stripe waits for the client (3-D Secure and the like).
    RequiresAction,
    /// The last attempt was declined; another one may be made.
    Failed,
    /// The money is here.
    Paid,
    /// The money is to go back and Stripe has not yet said that it did.
    RefundPending,
    /// The money went back.
    Refunded,
}

impl PaymentStatus {
    /// `unpaid`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unpaid => "unpaid",
            Self::Processing => "processing",
            Self::RequiresAction => "requires_action",
            Self::Failed => "failed",
            Self::Paid => "paid",
            Self::RefundPending => "refund_pending",
            Self::Refunded => "refunded",
        }
    }
}

/// A move of an order from one state of work to another, or to the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transition {
    /// The order is made.
    Place,
    /// Stripe says that its payment succeeded.
    Pay,
    /// A worker claims it.
    Accept,
    /// Its worker gives it back to the pool.
    Release,
    /// An admin gives it to another worker, or back to the pool.
    Reassign,
    /// Its worker delivers.
    Deliver,
    /// Its client wants a delivery changed.
    RequestRevision,
    /// Its client accepts a delivery, or says nothing for long enough.
    Complete,
    /// It is called off.
    Cancel,
    /// Nobody paid, or nobody claimed it, in time.
    Expire,
    /// Its client or its worker asks an admin to decide.
    Dispute,
    /// An admin decides for the worker.
    ResolveRelease,
    /// An admin decides for the client.
    ResolveRefund,
}

impl Transition {
    /// Every move.
    pub const ALL: [Self; 13] = [
        T::Place,
        T::Pay,
        T::Accept,
        T::Release,
        T::Reassign,
        T::Deliver,
        T::RequestRevision,
        T::Complete,
        T::Cancel,
        T::Expire,
        T::Dispute,
        T::ResolveRelease,
        T::ResolveRefund,
    ];

    /// `request_revision`.
    pub const fn as_str(self) -> &'static str {
        match self {
            T::Place => "place",
            T::Pay => "pay",
            T::Accept => "accept",
            T::Release => "release",
            T::Reassign => "reassign",
            T::Deliver => "deliver",
            T::RequestRevision => "request_revision",
            T::Complete => "complete",
            T::Cancel => "cancel",
            T::Expire => "expire",
            T::Dispute => "dispute",
            T::ResolveRelease => "resolve_release",
            T::ResolveRefund => "resolve_refund",
        }
    }

    /// Its name in an order's `actions`: both outcomes of a dispute are the one action `resolve`. With hyphens for underscores it is
    /// the last part of the endpoint's path.
    pub const fn action(self) -> &'static str {
        match self {
            T::ResolveRelease | T::ResolveRefund => "resolve",
            other => other.as_str(),
        }
    }
}

/// Who moves an order, as seen from that order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    /// Its client.
    Client,
    /// Its worker; for [`Transition::Accept`], any worker who is not its client.
    Worker,
    /// Any admin.
    Admin,
    /// Stripe, through a verified webhook or an answer of its API.
    Stripe,
    /// The passing of time.
    Timer,
}

impl ActorKind {
    /// Everybody.
    pub const ALL: [Self; 5] = [A::Client, A::Worker, A::Admin, A::Stripe, A::Timer];

    /// `client`.
    pub const fn as_str(self) -> &'static str {
        match self {
            A::Client => "client",
            A::Worker => "worker",
            A::Admin => "admin",
            A::Stripe => "stripe",
            A::Timer => "timer",
        }
    }
}

/// What must hold for a move, besides state and actor. A guard that does not hold refuses with its name as code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Guard {
    /// The order's whole price is here: paid, and neither refunded nor disputed at the bank.
    Funded,
    /// Fewer than [`MAX_REVISIONS`] were requested.
    RevisionsLeft,
    /// It was given back or given on fewer than [`MAX_HANDOVERS`] times.
    HandoversLeft,
    /// A worker is named who is active, not its client and not already its worker.
    NewWorker,
    /// No worker is named.
    NoWorker,
    /// Its deadline has passed.
    Due,
}

impl Guard {
    /// The stable code of a refusal by it.
    pub const fn code(self) -> &'static str {
        match self {
            G::Funded => "order_not_funded",
            G::RevisionsLeft => "no_revisions_left",
            G::HandoversLeft => "no_handovers_left",
            G::NewWorker => "worker_not_eligible",
            G::NoWorker => "worker_not_expected",
            G::Due => "deadline_not_reached",
        }
    }

    /// A sentence for the caller.
    pub const fn detail(self) -> &'static str {
        match self {
            G::Funded => "The order's price is not fully there.",
            G::RevisionsLeft => "The order has had as many revisions as it can have.",
            G::HandoversLeft => "The order was given back or reassigned as often as it can be.",
            G::NewWorker => "The worker must be active, not the order's client, and not its worker already.",
            G::NoWorker => "No worker may be named here.",
            G::Due => "The order's deadline has not passed.",
        }
    }

    /// How the table in the docs says it.
    pub const fn describe(self) -> &'static str {
        match self {
            G::Funded => "the whole price is paid and not on its way back",
            G::RevisionsLeft => "at most 5 revisions",
            G::HandoversLeft => "given back or given on at most 10 times",
            G::NewWorker => "names another active worker who is not the client",
            G::NoWorker => "names no worker",
            G::Due => "the deadline has passed",
        }
    }
}

/// Revisions a client can request: with [`MAX_HANDOVERS`], what keeps an order's history within one item.
pub const MAX_REVISIONS: usize = 5;
/// Releases and reassignments of one order.
pub const MAX_HANDOVERS: usize = 10;

/// What a move has to bring about at Stripe. It is not carried out by the move: it follows from the state that the move leaves behind
/// (`Order::money_step`), so that it can be repeated until Stripe confirms it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// The payment intent, if there is one, can no longer be paid. Was it paid in that instant, the money goes back.
    CancelIntent,
    /// What was paid goes back.
    Refund,
}

impl Effect {
    /// How the table in the docs says it.
    pub const fn describe(self) -> &'static str {
        match self {
            E::CancelIntent => "cancel the payment intent",
            E::Refund => "refund",
        }
    }
}

/// A clock that is armed with the state it belongs to. How long it runs is configuration: [`super::Timers`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Timer {
    /// Pending: 30 minutes to pay. Stopped while Stripe waits for the bank.
    Unpaid,
    /// Open: 7 days to be claimed.
    Unclaimed,
    /// Delivered: 3 days to be reviewed.
    Unreviewed,
}

impl Timer {
    /// `unpaid`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unpaid => "unpaid",
            Self::Unclaimed => "unclaimed",
            Self::Unreviewed => "unreviewed",
        }
    }
}

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// The state it leads out of; `None` for the one that makes an order.
    pub from: Option<Status>,
    /// The move.
    pub transition: Transition,
    /// The state it leads to.
    pub to: Status,
    /// Who may make it.
    pub actors: &'static [ActorKind],
    /// All of which must hold.
    pub guards: &'static [Guard],
    /// What has to happen at Stripe because of it.
    pub effects: &'static [Effect],
}

const fn rule(
    from: Status,
    transition: Transition,
    to: Status,
    actors: &'static [ActorKind],
    guards: &'static [Guard],
    effects: &'static [Effect],
) -> Rule {
    Rule { from: Some(from), transition, to, actors, guards, effects }
}

/// Every move there is. Where two rows differ by their guards only, the first whose guards hold is taken.
#[rustfmt::skip]
pub const TABLE: &[Rule] = &[
    Rule { from: None, transition: T::Place, to: S::Pending, actors: &[A::Client], guards: &[], effects: &[] },

    rule(S::Pending,   T::Pay,             S::Open,      &[A::Stripe],            &[],                               &[]),
    // Stripe: an intent is canceled for good, and an order has one intent for ever.
    rule(S::Pending,   T::Cancel,          S::Canceled,  &[A::Client, A::Admin, A::Stripe], &[],                     &[E::CancelIntent]),
    rule(S::Pending,   T::Expire,          S::Canceled,  &[A::Timer],             &[G::Due],                         &[E::CancelIntent]),

    rule(S::Open,      T::Accept,          S::Assigned,  &[A::Worker],            &[G::Funded],                      &[]),
    rule(S::Open,      T::Cancel,          S::Canceled,  &[A::Client, A::Admin],  &[],                               &[E::Refund]),
    rule(S::Open,      T::Expire,          S::Canceled,  &[A::Timer],             &[G::Due],                         &[E::Refund]),

    rule(S::Assigned,  T::Release,         S::Open,      &[A::Worker],            &[G::HandoversLeft],               &[]),
    rule(S::Assigned,  T::Reassign,        S::Assigned,  &[A::Admin],             &[G::NewWorker, G::HandoversLeft], &[]),
    rule(S::Assigned,  T::Reassign,        S::Open,      &[A::Admin],             &[G::NoWorker, G::HandoversLeft],  &[]),
    rule(S::Assigned,  T::Deliver,         S::Delivered, &[A::Worker],            &[],                               &[]),
    rule(S::Assigned,  T::Cancel,          S::Canceled,  &[A::Admin],             &[],                               &[E::Refund]),
    rule(S::Assigned,  T::Dispute,         S::Disputed,  &[A::Client, A::Worker], &[],                               &[]),

    rule(S::Delivered, T::RequestRevision, S::Assigned,  &[A::Client],            &[G::RevisionsLeft],               &[]),
    rule(S::Delivered, T::Complete,        S::Completed, &[A::Client],            &[],                               &[]),
    rule(S::Delivered, T::Complete,        S::Completed, &[A::Timer],             &[G::Due],                         &[]),
    rule(S::Delivered, T::Dispute,         S::Disputed,  &[A::Client, A::Worker], &[],                               &[]),

    rule(S::Disputed,  T::ResolveRelease,  S::Completed, &[A::Admin],             &[],                               &[]),
    rule(S::Disputed,  T::ResolveRefund,   S::Canceled,  &[A::Admin],             &[],                               &[E::Refund]),
];
