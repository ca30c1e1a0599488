//! Why an order did not move.

use super::state::{Status, Transition};
use super::table::Guard;
use crate::domain::string_enum::string_enum;

string_enum! {
    /// What Stripe said does not belong to the order that it was said of. Nothing is applied; it is
    /// for an admin to look into.
    Mismatch {
        /// Another payment intent than the order's.
        Intent = "intent",
        /// Another charge than the one that paid for the order.
        Charge = "charge",
        /// Another amount than the order's price, a refund of more than was paid, or of nothing.
        Amount = "amount",
        /// Another currency than the order's.
        Currency = "currency",
    }
}

/// Why an order did not move. The store adds one more reason, the lost race; the error catalogue
/// gives each its code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransitionError {
    /// The order is not the caller's to know of. (404)
    #[error("There is no such order.")]
    NotFound,
    /// The service is unknown or deactivated; which of the two is not said. (404)
    #[error("There is no such service.")]
    ServiceNotFound,
    /// The caller is suspended or deactivated. (403)
    #[error("The account is not active.")]
    Inactive,
    /// Not the caller's to do, in any state. (403)
    #[error("This is not yours to do.")]
    Forbidden,
    /// A client does not claim their own order. (403)
    #[error("The order is your own.")]
    OwnOrder,
    /// The caller's to do, but not in this state. (409)
    #[error("An order that is {} cannot be moved by `{}`.", status.as_str(), transition.action())]
    Illegal {
        /// What was asked for.
        transition: Transition,
        /// The state it is in.
        status: Status,
        /// The version it is at.
        version: u64,
    },
    /// State and actor are right, but a guard does not hold. (409)
    #[error("{}", guard.detail())]
    Guard {
        /// Which; its word is the refusal's code.
        guard: Guard,
        /// The state it is in.
        status: Status,
        /// The version it is at.
        version: u64,
    },
    /// The order can no longer be paid for. (409)
    #[error("An order that is {} cannot be paid for.", status.as_str())]
    NotPayable {
        /// The state it is in.
        status: Status,
        /// The version it is at.
        version: u64,
    },
    /// There is nobody yet to write to. (409)
    #[error("The order has no worker yet.")]
    NoWorkerYet {
        /// The version it is at.
        version: u64,
    },
    /// The `Idempotency-Key` came before, with another request. (422)
    #[error("The Idempotency-Key was used for another request.")]
    KeyReused,
    /// What Stripe said does not belong to this order.
    #[error("The {} of the payment is not the order's.", .0.as_str())]
    Mismatch(Mismatch),
}
