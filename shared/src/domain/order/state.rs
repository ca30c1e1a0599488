//! The vocabulary of the transition table: statuses, transitions, actors and timers.

use crate::domain::string_enum::string_enum;

string_enum! {
    /// The status of the work on an order. The payment has a status of its own, `payment_status`.
    Status {
        /// Placed, but not paid yet.
        Pending = "pending",
        /// Paid. Workers can claim it from the pool.
        Open = "open",
        /// Claimed by a worker, who is working on it.
        Assigned = "assigned",
        /// Delivered by the worker and waiting for the client's review.
        Delivered = "delivered",
        /// The delivery was accepted. Final.
        Completed = "completed",
        /// The client and the worker disagree. An administrator decides.
        Disputed = "disputed",
        /// Canceled. Whatever the client paid is refunded. Final.
        Canceled = "canceled",
    }
}

impl Status {
    /// Returns the timer that starts when an order enters this status.
    pub const fn timer(self) -> Option<Timer> {
        match self {
            Self::Pending => Some(Timer::Unpaid),
            Self::Open => Some(Timer::Unclaimed),
            Self::Delivered => Some(Timer::Unreviewed),
            Self::Assigned | Self::Completed | Self::Disputed | Self::Canceled => None,
        }
    }
}

string_enum! {
    /// The status of the payment, as last reported by Stripe.
    PaymentStatus {
        /// Nothing was paid, and no payment is in progress.
        Unpaid = "unpaid",
        /// Stripe is waiting for the bank.
        Processing = "processing",
        /// Stripe is waiting for the client, for instance for 3-D Secure.
        RequiresAction = "requires_action",
        /// The last attempt was declined. The client can try again.
        Failed = "failed",
        /// The payment succeeded.
        Paid = "paid",
        /// A refund is due, and Stripe has not confirmed it yet.
        RefundPending = "refund_pending",
        /// The money was returned to the client.
        Refunded = "refunded",
    }
}

string_enum! {
    /// What happened to the work on an order.
    Transition {
        /// The client placed the order.
        Place = "place",
        /// Stripe reported that the payment succeeded.
        Pay = "pay",
        /// A worker claimed the order.
        Accept = "accept",
        /// The worker gave the order back to the pool.
        Release = "release",
        /// An administrator assigned the order to another worker, or returned it to the pool.
        Reassign = "reassign",
        /// The worker delivered the result.
        Deliver = "deliver",
        /// The client asked for changes to the delivery.
        RequestRevision = "request_revision",
        /// The client accepted the delivery, or did not review it in time.
        Complete = "complete",
        /// The order was canceled.
        Cancel = "cancel",
        /// The order was not paid or not claimed in time.
        Expire = "expire",
        /// The client or the worker asked an administrator to decide.
        Dispute = "dispute",
        /// An administrator decided the dispute for the worker.
        ResolveRelease = "resolve_release",
        /// An administrator decided the dispute for the client.
        ResolveRefund = "resolve_refund",
    }
}

impl Transition {
    /// Returns whether it counts towards [`MAX_REVISIONS`](super::table::MAX_REVISIONS).
    pub const fn is_revision(self) -> bool {
        matches!(self, Self::RequestRevision)
    }

    /// Returns whether it counts towards [`MAX_HANDOVERS`](super::table::MAX_HANDOVERS).
    pub const fn is_handover(self) -> bool {
        matches!(self, Self::Release | Self::Reassign)
    }

    /// Returns its name in an order's `actions`. Both outcomes of a dispute are one action,
    /// `resolve`. With hyphens instead of underscores, the name is the last part of the endpoint's
    /// path.
    pub const fn action(self) -> &'static str {
        match self {
            Self::ResolveRelease | Self::ResolveRefund => "resolve",
            other => other.as_str(),
        }
    }
}

string_enum! {
    /// Who acted on an order.
    ActorKind {
        /// The order's client.
        Client = "client",
        /// The order's worker, or the worker who claims it.
        Worker = "worker",
        /// An administrator.
        Admin = "admin",
        /// Stripe, through a verified webhook or a response of its API.
        Stripe = "stripe",
        /// A timer that ran out.
        Timer = "timer",
    }
}

string_enum! {
    /// A timer that starts when an order enters a status. The durations are configuration
    /// ([`Timers`](super::Timers)); the defaults are given here.
    Timer {
        /// Pending: the client has 30 minutes to pay. Paused while Stripe waits for the bank.
        Unpaid = "unpaid",
        /// Open: workers have 7 days to claim the order.
        Unclaimed = "unclaimed",
        /// Delivered: the client has 3 days to review the delivery.
        Unreviewed = "unreviewed",
    }
}
