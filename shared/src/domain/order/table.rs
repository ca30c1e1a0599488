//! The transition table: which moves an order can make, who makes them, under which guards and with
//! which effects.
//!
//! It is data. The handlers, `actions` in every order response, the API description, the diagram in
//! the docs and the exhaustive test all read this one list.

use serde::Serialize;

use self::{Effect as E, Guard as G};
use super::state::{ActorKind as A, Status as S, Transition as T};
use super::state::{ActorKind, Status, Transition};
use crate::domain::string_enum::string_enum;

string_enum! {
    /// What must hold for a move, besides state and actor. Its word is the code of a refusal by it.
    Guard {
        /// The order's whole price is here: paid, and neither refunded nor disputed at the bank.
        Funded = "order_not_funded",
        /// Fewer than [`MAX_REVISIONS`] were requested.
        RevisionsLeft = "no_revisions_left",
        /// It was given back or given on fewer than [`MAX_HANDOVERS`] times.
        HandoversLeft = "no_handovers_left",
        /// A worker is named who is active, not its client and not already its worker.
        NewWorker = "worker_not_eligible",
        /// No worker is named.
        NoWorker = "worker_not_expected",
        /// Its deadline has passed.
        Due = "deadline_not_reached",
    }
}

impl Guard {
    /// A sentence for the caller.
    pub const fn detail(self) -> &'static str {
        match self {
            G::Funded => "The order's price is not fully there.",
            G::RevisionsLeft => "The order has had as many revisions as it can have.",
            G::HandoversLeft => "The order was given back or reassigned as often as it can be.",
            G::NewWorker => {
                "The worker must be active, not the order's client, and not its worker already."
            }
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

/// Revisions a client can request: with [`MAX_HANDOVERS`], what keeps an order's history within one
/// item.
pub const MAX_REVISIONS: u32 = 5;
/// Releases and reassignments of one order.
pub const MAX_HANDOVERS: u32 = 10;

string_enum! {
    /// What a move has to bring about at Stripe. It is not carried out by the move: it follows from
    /// the state that the move leaves behind (`Order::money_step`), so that it can be repeated
    /// until Stripe confirms it.
    Effect {
        /// The payment intent, if there is one, can no longer be paid. Was it paid in that instant,
        /// the money goes back.
        CancelIntent = "cancel_intent",
        /// What was paid goes back.
        Refund = "refund",
    }
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

string_enum! {
    /// A clock that is armed with the state it belongs to. How long it runs is configuration:
    /// [`super::Timers`].
    Timer {
        /// Pending: 30 minutes to pay. Stopped while Stripe waits for the bank.
        Unpaid = "unpaid",
        /// Open: 7 days to be claimed.
        Unclaimed = "unclaimed",
        /// Delivered: 3 days to be reviewed.
        Unreviewed = "unreviewed",
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

/// Every move there is. Where two rows differ by their guards only, the first whose guards hold is
/// taken.
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
    rule(S::Assigned,  T::Reassign,        S::Assigned,  &[A::Admin],             &[G::HandoversLeft, G::NewWorker], &[]),
    rule(S::Assigned,  T::Reassign,        S::Open,      &[A::Admin],             &[G::HandoversLeft, G::NoWorker],  &[]),
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
