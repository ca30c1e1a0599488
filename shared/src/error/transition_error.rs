//! Converts the refusal of a change to an order to an error of the catalogue. Conflicts include the
//! order's status and version.

use super::Error;
use super::catalogue::{self, Code};
use crate::domain::order::{Guard, Status, TransitionError};

impl From<TransitionError> for Error {
    fn from(error: TransitionError) -> Self {
        let detail = error.to_string();
        let conflict = |code, status: Status, version: u64| {
            Self::new(code, error.to_string())
                .with_member("order_status", status.as_str())
                .with_member("version", version)
        };
        match error {
            TransitionError::NotFound => Self::not_found("order"),
            TransitionError::ServiceNotFound => Self::not_found("service"),
            TransitionError::Inactive => Self::new(&catalogue::ACCOUNT_SUSPENDED, detail),
            TransitionError::Forbidden => Self::new(&catalogue::FORBIDDEN, detail),
            TransitionError::OwnOrder => Self::new(&catalogue::OWN_ORDER, detail),
            TransitionError::Illegal { status, version, .. } => {
                conflict(&catalogue::ILLEGAL_TRANSITION, status, version)
            }
            TransitionError::NotPayable { status, version } => {
                conflict(&catalogue::ORDER_NOT_PAYABLE, status, version)
            }
            TransitionError::NoWorkerYet { version } => {
                Self::new(&catalogue::NO_WORKER_YET, detail).with_member("version", version)
            }
            TransitionError::KeyReused => Self::idempotency_key_reused(),
            TransitionError::Mismatch(_) => Self::new(&catalogue::PAYMENT_MISMATCH, detail),
            TransitionError::Guard { guard, status, version } => {
                conflict(Code::of_guard(guard), status, version)
            }
        }
    }
}

impl Code {
    /// Returns the error code for a transition that this guard prevents.
    pub const fn of_guard(guard: Guard) -> &'static Self {
        match guard {
            Guard::Funded => &catalogue::ORDER_NOT_FUNDED,
            Guard::RevisionsLeft => &catalogue::NO_REVISIONS_LEFT,
            Guard::HandoversLeft => &catalogue::NO_HANDOVERS_LEFT,
            Guard::NewWorker => &catalogue::WORKER_NOT_ELIGIBLE,
            Guard::NoWorker => &catalogue::WORKER_NOT_EXPECTED,
            Guard::Due => &catalogue::DEADLINE_NOT_REACHED,
        }
    }
}
