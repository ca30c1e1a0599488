//! Reads an order as it was at an earlier version, and answers repeated requests from it.

use super::aggregate::Order;
use super::history::{Event, EventKind, Idempotency, PaymentEvent};
use super::state::{Status, Transition};
use super::transition_error::TransitionError;

impl Order {
    /// Returns the order as it was at this version, or `None` if it never had that version. With
    /// it, a repeated request gets the same response as the first one. The payment intent, the
    /// refunds and the chargebacks stay as they are now, because no response shows them.
    pub fn at(&self, version: u64) -> Option<Self> {
        let index = usize::try_from(version.checked_sub(1)?).ok()?;
        let event = self.history.get(index)?;
        let mut earlier = self.clone();
        earlier.status = event.status;
        earlier.payment_status = event.payment_status;
        earlier.worker = event.worker.clone();
        earlier.deadline = event.deadline;
        earlier.version = event.n;
        earlier.updated_at = event.at;
        earlier.history.truncate(index + 1);
        earlier.revisions = earlier.count(Transition::is_revision);
        earlier.handovers = earlier.count(Transition::is_handover);
        earlier.ledger = self.ledger.up_to(version);
        Some(earlier)
    }

    /// Returns the order as it was after this request was carried out, or `None` if it never was.
    /// Check this before [`Order::transition`], and again if another change was written first.
    ///
    /// # Errors
    ///
    /// [`TransitionError::KeyReused`] if the key was used for another request.
    pub fn replay(&self, request: &Idempotency) -> Result<Option<Self>, TransitionError> {
        let has_key = |event: &&Event| {
            event.idempotency.as_ref().is_some_and(|known| known.key == request.key)
        };
        let Some(event) = self.history.iter().find(has_key) else { return Ok(None) };
        if event.idempotency.as_ref() == Some(request) {
            Ok(self.at(event.n))
        } else {
            Err(TransitionError::KeyReused)
        }
    }

    /// Returns whether `earlier` is a version that this order went through: the same event, by the
    /// same actor, at the same time.
    pub fn descends_from(&self, earlier: &Self) -> bool {
        let Some(last) = earlier.history.last() else { return false };
        self.id == earlier.id && self.history.get(earlier.history.len() - 1) == Some(last)
    }

    /// Returns whether the last event is that Stripe refused a refund. Asking Stripe again at once
    /// would lead to the same refusal.
    pub fn last_refund_was_refused(&self) -> bool {
        self.history
            .last()
            .is_some_and(|event| event.kind == EventKind::Payment(PaymentEvent::RefundRefused))
    }

    /// Returns whether the order was ever in the pool, where workers could see it.
    pub(super) fn was_open(&self) -> bool {
        self.history.iter().any(|event| event.status == Status::Open)
    }

    fn count(&self, counts: fn(Transition) -> bool) -> u32 {
        let matches = |event: &Event| matches!(event.kind, EventKind::Transition(transition) if counts(transition));
        self.history.iter().map(|event| u32::from(matches(event))).sum()
    }
}
