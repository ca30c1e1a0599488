//! Who may see an order, and who writes messages on it.

use super::aggregate::Order;
use super::state::Status;
use super::transition_error::TransitionError;
use crate::domain::user::{Caller, Person, Role};

/// How much of an order a user may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Visibility {
    /// The order and its history: for its client, its worker and administrators.
    Full,
    /// The order without its history: for all workers while it is open.
    Pool,
    /// Nothing, not even that the order exists.
    None,
}

impl Order {
    /// Returns how much of the order this user may see.
    pub fn visibility(&self, caller: &Caller) -> Visibility {
        let is_party = self.client.id == caller.id || self.is_worker(caller);
        match caller.role {
            _ if is_party => Visibility::Full,
            Role::Admin => Visibility::Full,
            Role::Worker if self.status == Status::Open => Visibility::Pool,
            Role::Worker | Role::Client => Visibility::None,
        }
    }

    /// Returns the recipient of this user's messages: the worker for the client, and the client for
    /// the worker. Nobody else writes messages on an order.
    ///
    /// # Errors
    ///
    /// [`TransitionError::NoWorkerYet`] if the client writes before a worker claimed the order,
    /// [`TransitionError::NotFound`] if the user may not see the order, and
    /// [`TransitionError::Forbidden`] if the user may see it but is neither its client nor its
    /// worker.
    pub fn message_recipient(&self, caller: &Caller) -> Result<&Person, TransitionError> {
        if self.client.id == caller.id {
            self.worker.as_ref().ok_or(TransitionError::NoWorkerYet { version: self.version })
        } else if self.is_worker(caller) {
            Ok(&self.client)
        } else if self.visibility(caller) == Visibility::None {
            Err(TransitionError::NotFound)
        } else {
            Err(TransitionError::Forbidden)
        }
    }

    /// Returns whether this user is the order's worker.
    pub(super) fn is_worker(&self, caller: &Caller) -> bool {
        self.worker.as_ref().is_some_and(|worker| worker.id == caller.id)
    }
}
