//! Why a change to an order was refused.

use super::state::{Status, Transition};
use super::table::Guard;
use crate::domain::string_enum::string_enum;

string_enum! {
    /// How a report from Stripe contradicts the order that it names. Nothing is applied; an
    /// administrator has to look into it.
    Mismatch {
        /// It is about another payment intent than the order's.
        Intent = "intent",
        /// It is about another charge than the one that paid for the order.
        Charge = "charge",
        /// The charged amount is not the order's price, or a refund is zero or exceeds what was
        /// paid.
        Amount = "amount",
        /// Its currency is not the order's.
        Currency = "currency",
    }
}

/// Why a change to an order was refused. The error catalogue gives each reason its code. (The store
/// adds one more reason: another change was written first.)
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransitionError {
    /// The order does not exist, or the caller may not know that it does. (404)
    #[error("There is no such order.")]
    NotFound,
    /// The service is unknown or deactivated. The error does not say which. (404)
    #[error("There is no such service.")]
    ServiceNotFound,
    /// The caller is suspended or deactivated. (403)
    #[error("Your account is not active.")]
    Inactive,
    /// The caller can never do this, whatever the order's status. (403)
    #[error("You may not do this to the order.")]
    Forbidden,
    /// Workers cannot claim orders that they placed themselves as clients. (403)
    #[error("You placed this order yourself, so you cannot work on it.")]
    OwnOrder,
    /// The caller can do this, but not in the order's current status. (409)
    #[error("`{}` is not possible while the order is {}.", transition.action(), status.as_str())]
    Illegal {
        /// What the caller asked for.
        transition: Transition,
        /// The order's status.
        status: Status,
        /// The order's version.
        version: u64,
    },
    /// Status and actor fit, but a guard does not hold. (409)
    #[error("{}", guard.detail())]
    Guard {
        /// The guard. Its name is the error's code.
        guard: Guard,
        /// The order's status.
        status: Status,
        /// The order's version.
        version: u64,
    },
    /// The order can no longer be paid for. (409)
    #[error("The order cannot be paid for, because it is {}.", status.as_str())]
    NotPayable {
        /// The order's status.
        status: Status,
        /// The order's version.
        version: u64,
    },
    /// The client wants to write a message, but the order has no worker. (409)
    #[error("The order has no worker yet.")]
    NoWorkerYet {
        /// The order's version.
        version: u64,
    },
    /// The `Idempotency-Key` was already used for another request. (422)
    #[error("The Idempotency-Key was already used for another request.")]
    KeyReused,
    /// A report from Stripe contradicts the order.
    #[error("The payment's {} does not match the order's.", .0.as_str())]
    Mismatch(Mismatch),
}
