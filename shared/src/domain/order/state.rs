//! The words of the transition table: states of work and of payment, moves, and who makes them.

use self::{Status as S, Transition as T};
use super::table::{TABLE, Timer};
use crate::domain::string_enum::string_enum;

string_enum! {
    /// Where the work on an order stands. Payment is a state of its own: [`PaymentStatus`].
    Status {
        /// Placed, not yet paid.
        Pending = "pending",
        /// Paid, in the pool that workers claim from.
        Open = "open",
        /// Claimed by a worker.
        Assigned = "assigned",
        /// Delivered by its worker, to be accepted by its client.
        Delivered = "delivered",
        /// Accepted. The end.
        Completed = "completed",
        /// Client and worker disagree; an admin decides.
        Disputed = "disputed",
        /// Called off; what was paid goes back. The end.
        Canceled = "canceled",
    }
}

impl Status {
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

string_enum! {
    /// Where the money stands: what Stripe said last, seen through the order's ledger.
    PaymentStatus {
        /// Nothing was paid and nothing is under way.
        Unpaid = "unpaid",
        /// Stripe waits for the bank.
        Processing = "processing",
        /// Stripe waits for the client (3-D Secure and the like).
        RequiresAction = "requires_action",
        /// The last attempt was declined; another one may be made.
        Failed = "failed",
        /// The money is here.
        Paid = "paid",
        /// The money is to go back and Stripe has not yet said that it did.
        RefundPending = "refund_pending",
        /// The money went back.
        Refunded = "refunded",
    }
}

string_enum! {
    /// A move of an order from one state of work to another, or to the same.
    Transition {
        /// The order is made.
        Place = "place",
        /// Stripe says that its payment succeeded.
        Pay = "pay",
        /// A worker claims it.
        Accept = "accept",
        /// Its worker gives it back to the pool.
        Release = "release",
        /// An admin gives it to another worker, or back to the pool.
        Reassign = "reassign",
        /// Its worker delivers.
        Deliver = "deliver",
        /// Its client wants a delivery changed.
        RequestRevision = "request_revision",
        /// Its client accepts a delivery, or says nothing for long enough.
        Complete = "complete",
        /// It is called off.
        Cancel = "cancel",
        /// Nobody paid, or nobody claimed it, in time.
        Expire = "expire",
        /// Its client or its worker asks an admin to decide.
        Dispute = "dispute",
        /// An admin decides for the worker.
        ResolveRelease = "resolve_release",
        /// An admin decides for the client.
        ResolveRefund = "resolve_refund",
    }
}

impl Transition {
    /// Counts against [`MAX_REVISIONS`].
    pub const fn is_revision(self) -> bool {
        matches!(self, T::RequestRevision)
    }

    /// Counts against [`MAX_HANDOVERS`].
    pub const fn is_handover(self) -> bool {
        matches!(self, T::Release | T::Reassign)
    }

    /// Its name in an order's `actions`: both outcomes of a dispute are the one action `resolve`.
    /// With hyphens for underscores it is the last part of the endpoint's path.
    pub const fn action(self) -> &'static str {
        match self {
            T::ResolveRelease | T::ResolveRefund => "resolve",
            other => other.as_str(),
        }
    }
}

string_enum! {
    /// Who moves an order, as seen from that order.
    ActorKind {
        /// Its client.
        Client = "client",
        /// Its worker; for [`Transition::Accept`], any worker who is not its client.
        Worker = "worker",
        /// Any admin.
        Admin = "admin",
        /// Stripe, through a verified webhook or an answer of its API.
        Stripe = "stripe",
        /// The passing of time.
        Timer = "timer",
    }
}
