//! A rule's refusal as an error: each keeps its code, and conflicts say the state and the version
//! that the order is in.

use super::{Error, catalogue};
use crate::domain::order::{Guard, Refusal, Status};

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let detail = refusal.to_string();
        let conflict = |code, status: Status, version: u64| {
            Self::new(code, refusal.to_string())
                .with("order_status", status.as_str())
                .with("version", version)
        };
        match refusal {
            Refusal::NotFound => Self::not_found("order"),
            Refusal::ServiceNotFound => Self::not_found("service"),
            Refusal::Inactive => Self::new(&catalogue::ACCOUNT_SUSPENDED, detail),
            Refusal::Forbidden => Self::new(&catalogue::FORBIDDEN, detail),
            Refusal::OwnOrder => Self::new(&catalogue::OWN_ORDER, detail),
            Refusal::Illegal { status, version, .. } => {
                conflict(&catalogue::ILLEGAL_TRANSITION, status, version)
            }
            Refusal::NotPayable { status, version } => {
                conflict(&catalogue::ORDER_NOT_PAYABLE, status, version)
            }
            Refusal::NoWorkerYet { version } => {
                Self::new(&catalogue::NO_WORKER_YET, detail).with("version", version)
            }
            Refusal::KeyReused => Self::key_reused(),
            Refusal::Mismatch(_) => Self::new(&catalogue::PAYMENT_MISMATCH, detail),
            Refusal::Guard { guard, status, version } => {
                let code = match guard {
                    Guard::Funded => &catalogue::ORDER_NOT_FUNDED,
                    Guard::RevisionsLeft => &catalogue::NO_REVISIONS_LEFT,
                    Guard::HandoversLeft => &catalogue::NO_HANDOVERS_LEFT,
                    Guard::NewWorker => &catalogue::WORKER_NOT_ELIGIBLE,
                    Guard::NoWorker => &catalogue::WORKER_NOT_EXPECTED,
                    Guard::Due => &catalogue::DEADLINE_NOT_REACHED,
                };
                conflict(code, status, version)
            }
        }
    }
}
