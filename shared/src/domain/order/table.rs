//! The transition table: every way in which an order can change its status.
//!
//! Each row says who can move an order from one status to another, which guards must hold, and what
//! has to happen at Stripe afterwards. The table is data: the handlers, the `actions` of every
//! order response, the API description, `docs/order-lifecycle.md` and an exhaustive test all read
//! it.

use serde::Serialize;

use self::{Effect as E, Guard as G};
use super::state::{ActorKind as A, Status as S, Transition as T};
use super::state::{ActorKind, Status, Transition};
use crate::domain::string_enum::string_enum;

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// The status before. `None` for [`Transition::Place`], which creates the order.
    pub from: Option<Status>,
    /// The transition.
    pub transition: Transition,
    /// The status afterwards.
    pub to: Status,
    /// Who can do it.
    pub actors: &'static [ActorKind],
    /// The conditions that must all hold.
    pub guards: &'static [Guard],
    /// What has to happen at Stripe afterwards.
    pub effects: &'static [Effect],
}

/// All transitions. Where two rows differ only in their guards, the first row whose guards hold
/// applies.
#[rustfmt::skip]
pub const TABLE: &[Rule] = &[
    // From         Transition          To            Actors                  Guards
    // Effects
    Rule { from: None, transition: T::Place, to: S::Pending, actors: &[A::Client], guards: &[], effects: &[] },

    // Waiting for payment. If the payment intent is canceled at Stripe, the order is canceled too:
    // an intent cannot be reopened, and an order never gets a second one.
    rule(S::Pending,   T::Pay,             S::Open,      &[A::Stripe],            &[],                               &[]),
    rule(S::Pending,   T::Cancel,          S::Canceled,  &[A::Client, A::Admin, A::Stripe], &[],                     &[E::CancelIntent]),
    rule(S::Pending,   T::Expire,          S::Canceled,  &[A::Timer],             &[G::Due],                         &[E::CancelIntent]),

    // Paid, in the pool.
    rule(S::Open,      T::Accept,          S::Assigned,  &[A::Worker],            &[G::Funded],                      &[]),
    rule(S::Open,      T::Cancel,          S::Canceled,  &[A::Client, A::Admin],  &[],                               &[E::Refund]),
    rule(S::Open,      T::Expire,          S::Canceled,  &[A::Timer],             &[G::Due],                         &[E::Refund]),

    // A worker is working on it.
    rule(S::Assigned,  T::Release,         S::Open,      &[A::Worker],            &[G::HandoversLeft],               &[]),
    rule(S::Assigned,  T::Reassign,        S::Assigned,  &[A::Admin],             &[G::HandoversLeft, G::NewWorker], &[]),
    rule(S::Assigned,  T::Reassign,        S::Open,      &[A::Admin],             &[G::HandoversLeft, G::NoWorker],  &[]),
    rule(S::Assigned,  T::Deliver,         S::Delivered, &[A::Worker],            &[],                               &[]),
    rule(S::Assigned,  T::Cancel,          S::Canceled,  &[A::Admin],             &[],                               &[E::Refund]),
    rule(S::Assigned,  T::Dispute,         S::Disputed,  &[A::Client, A::Worker], &[],                               &[]),

    // Waiting for the client's review.
    rule(S::Delivered, T::RequestRevision, S::Assigned,  &[A::Client],            &[G::RevisionsLeft],               &[]),
    rule(S::Delivered, T::Complete,        S::Completed, &[A::Client],            &[],                               &[]),
    rule(S::Delivered, T::Complete,        S::Completed, &[A::Timer],             &[G::Due],                         &[]),
    rule(S::Delivered, T::Dispute,         S::Disputed,  &[A::Client, A::Worker], &[],                               &[]),

    // Waiting for an administrator's decision.
    rule(S::Disputed,  T::ResolveRelease,  S::Completed, &[A::Admin],             &[],                               &[]),
    rule(S::Disputed,  T::ResolveRefund,   S::Canceled,  &[A::Admin],             &[],                               &[E::Refund]),
];

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

impl Status {
    /// Returns whether no transition leads out of this status.
    pub fn is_final(self) -> bool {
        !TABLE.iter().any(|rule| rule.from == Some(self))
    }
}

/// How many revisions a client can request of one order. Together with [`MAX_HANDOVERS`], this
/// keeps the order's history within one DynamoDB item (400 KB).
pub const MAX_REVISIONS: u32 = 5;
/// How many times one order can be released or reassigned.
pub const MAX_HANDOVERS: u32 = 10;

string_enum! {
    /// A condition of a transition, besides the order's status and the actor. Its name is the error
    /// code of a transition that it prevents.
    Guard {
        /// The order holds its whole price: it is paid, and no refund or chargeback took the money.
        Funded = "order_not_funded",
        /// The client has requested fewer than [`MAX_REVISIONS`] revisions.
        RevisionsLeft = "no_revisions_left",
        /// The order was released or reassigned fewer than [`MAX_HANDOVERS`] times.
        HandoversLeft = "no_handovers_left",
        /// The request names an active worker who is neither the order's client nor its current
        /// worker.
        NewWorker = "worker_not_eligible",
        /// The request names no worker.
        NoWorker = "worker_not_expected",
        /// The order's deadline has passed.
        Due = "deadline_not_reached",
    }
}

impl Guard {
    /// Returns the sentence that tells a caller why the guard prevents the transition.
    pub const fn detail(self) -> &'static str {
        match self {
            G::Funded => {
                "The order does not hold its full price, because of a refund or a chargeback."
            }
            G::RevisionsLeft => "The order has reached its limit of 5 revisions.",
            G::HandoversLeft => "The order has reached its limit of 10 releases and reassignments.",
            G::NewWorker => {
                "The worker must be active and must be neither the order's client nor its current \
                 worker."
            }
            G::NoWorker => "This transition does not take a worker.",
            G::Due => "The order's deadline has not passed yet.",
        }
    }

    /// Returns the condition as `docs/order-lifecycle.md` states it.
    pub const fn describe(self) -> &'static str {
        match self {
            G::Funded => "the order holds its full price",
            G::RevisionsLeft => "fewer than 5 revisions so far",
            G::HandoversLeft => "fewer than 10 releases and reassignments so far",
            G::NewWorker => "names another active worker who is not the client",
            G::NoWorker => "names no worker",
            G::Due => "the deadline has passed",
        }
    }
}

string_enum! {
    /// What a transition requires at Stripe. The transition itself calls nothing: the action
    /// follows from the status that it leads to
    /// ([`Order::stripe_action`](super::Order::stripe_action)), so it can be repeated until Stripe
    /// confirms it.
    Effect {
        /// Cancel the payment intent, if there is one. If it was paid just before, refund it.
        CancelIntent = "cancel_intent",
        /// Refund what was paid.
        Refund = "refund",
    }
}

impl Effect {
    /// Returns the effect as `docs/order-lifecycle.md` states it.
    pub const fn describe(self) -> &'static str {
        match self {
            E::CancelIntent => "cancel the payment intent",
            E::Refund => "refund",
        }
    }
}
