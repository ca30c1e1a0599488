//! Applies what Stripe reports to an order: adds ledger entries, updates the payment status and, if
//! the order waits for it, makes a transition.
//!
//! A report can be applied any number of times with the same result, and the reports of one payment
//! lead to the same state in whatever order they arrive: money that moved is entered once under
//! Stripe's id, a final status replaces an earlier one, and the payment status is derived from the
//! ledger. The exceptions are [`PaymentFactKind::Processing`], [`PaymentFactKind::RequiresAction`]
//! and [`PaymentFactKind::Failed`], which replace one another in the order of arrival until a final
//! status arrives. Take these from the intent as Stripe returns it at that moment, not from an
//! event that may be old.

use jiff::Timestamp;

use super::aggregate::Order;
use super::history::{Actor, EventKind, PaymentEvent};
use super::ledger::{LedgerEntry, LedgerKind};
use super::payment::{
    Chargeback, ChargebackState, PaymentFact, PaymentFactKind, Refund, RefundStatus,
};
use super::state::{ActorKind, PaymentStatus, Status, Timer, Transition};
use super::timers::Timers;
use super::transition::{ActorContext, Change, Requester};
use super::transition_error::{Mismatch, TransitionError};
use crate::domain::ids::{ChargeId, PaymentIntentId};
use crate::domain::money::Money;
use crate::domain::user::Role;

/// How many payment attempts an order's history records. Further attempts are not recorded unless
/// they succeed: a client whose cards keep being declined must not make the order's item grow
/// without limit.
pub const MAX_RECORDED_ATTEMPTS: usize = 20;

impl Order {
    /// Stores the payment intent that Stripe created for this order, and returns `None` if the
    /// order has it already. An order that was canceled in the meantime stores it too, so that it
    /// is canceled at Stripe ([`Order::stripe_action`]).
    ///
    /// # Errors
    ///
    /// [`TransitionError::Forbidden`] if the requester is not the order's client, and
    /// [`TransitionError::Mismatch`] if the order has another intent.
    pub fn attach_intent(
        &self,
        intent: PaymentIntentId,
        context: ActorContext,
    ) -> Result<Option<Self>, TransitionError> {
        let actor = match &context.requester {
            Requester::User(caller) if caller.id == self.client.id => {
                Actor::user(ActorKind::Client, caller)
            }
            Requester::User(_) | Requester::Timer => return Err(TransitionError::Forbidden),
        };
        self.check_intent(&intent)?;
        if self.payment_intent.is_some() {
            return Ok(None);
        }
        let mut next = self.clone();
        next.payment_intent = Some(intent);
        let kind = EventKind::Payment(PaymentEvent::PaymentStarted);
        Ok(Some(next.record(Change::requested(kind, actor, context))))
    }

    /// Returns the order after a report from Stripe, or `None` if the report contains nothing new.
    /// It applies in every status: money that moved is always entered.
    ///
    /// A payment that succeeds opens a pending order; if the order was canceled in the meantime,
    /// the money is refunded. An intent that is canceled cancels a pending order, because the order
    /// could never be paid. No other report changes the status of the work.
    ///
    /// # Errors
    ///
    /// [`TransitionError::Mismatch`] if the report is about another intent, charge, amount or
    /// currency than the order's.
    pub fn apply_payment_fact(
        &self,
        fact: &PaymentFact,
        at: Timestamp,
        timers: &Timers,
    ) -> Result<Option<Self>, TransitionError> {
        self.check_intent(&fact.intent)?;
        let at = at.max(self.updated_at);
        let mut next = self.clone();
        // A webhook can arrive before the response to the call that created the intent.
        next.payment_intent = Some(fact.intent.clone());
        let changed = match &fact.kind {
            PaymentFactKind::Processing => next.apply_attempt(
                PaymentStatus::Processing,
                PaymentEvent::PaymentProcessing,
                at,
                timers,
            ),
            PaymentFactKind::RequiresAction => next.apply_attempt(
                PaymentStatus::RequiresAction,
                PaymentEvent::PaymentRequiresAction,
                at,
                timers,
            ),
            PaymentFactKind::Failed => {
                next.apply_attempt(PaymentStatus::Failed, PaymentEvent::PaymentFailed, at, timers)
            }
            PaymentFactKind::Succeeded { charge, amount, fee } => {
                next.apply_charge(charge, *amount, *fee, at, timers)?
            }
            PaymentFactKind::Canceled => next.apply_cancellation(at, timers),
            PaymentFactKind::Refund { refund, amount, status } => next.apply_refund(
                Refund { id: refund.clone(), amount: *amount, status: *status },
                at,
            )?,
            PaymentFactKind::Chargeback { chargeback, amount, state } => next.apply_chargeback(
                Chargeback { id: chargeback.clone(), amount: *amount, state: *state },
                at,
            )?,
        };
        Ok(changed.map(|kind| next.record(Change::reported_by_stripe(kind, at))))
    }

    /// Records who asked for the intent's cancellation, and why. Call this if Stripe's report of
    /// the cancellation arrived first and has already canceled the order.
    ///
    /// # Errors
    ///
    /// [`TransitionError::Forbidden`] if the requester is a timer.
    pub fn record_cancellation_by(&self, context: ActorContext) -> Result<Self, TransitionError> {
        let Requester::User(caller) = &context.requester else {
            return Err(TransitionError::Forbidden);
        };
        let kind = if caller.role == Role::Admin { ActorKind::Admin } else { ActorKind::Client };
        let actor = Actor::user(kind, caller);
        let kind = EventKind::Payment(PaymentEvent::PaymentCanceled);
        Ok(self.clone().record(Change::requested(kind, actor, context)))
    }

    /// Returns the order after Stripe refused to make the refund in [`Order::stripe_action`]. The
    /// refusal counts as a failed attempt, so that the next attempt has a new idempotency key: with
    /// the old key, Stripe would repeat its refusal for a day.
    pub fn record_refund_refusal(&self, at: Timestamp) -> Self {
        let mut next = self.clone();
        next.refused_refunds += 1;
        let kind = EventKind::Payment(PaymentEvent::RefundRefused);
        next.record(Change::reported_by_stripe(kind, at))
    }

    fn check_intent(&self, intent: &PaymentIntentId) -> Result<(), TransitionError> {
        match &self.payment_intent {
            Some(bound) if bound != intent => Err(TransitionError::Mismatch(Mismatch::Intent)),
            _ => Ok(()),
        }
    }

    // Each `apply_*` method changes the order and returns the event to record, or `None` if there
    // is nothing new.

    fn apply_attempt(
        &mut self,
        status: PaymentStatus,
        event: PaymentEvent,
        at: Timestamp,
        timers: &Timers,
    ) -> Option<EventKind> {
        let awaits_payment = self.status == Status::Pending && !self.is_charged();
        if !awaits_payment
            || self.payment_status == status
            || self.recorded_attempts() >= MAX_RECORDED_ATTEMPTS
        {
            return None;
        }
        // The client's time to pay stops while Stripe waits for the bank, because the client cannot
        // speed that up.
        if status == PaymentStatus::Processing {
            self.deadline = None;
        } else if self.payment_status == PaymentStatus::Processing {
            self.deadline = Some(timers.deadline(Timer::Unpaid, at));
        }
        self.payment_status = status;
        Some(EventKind::Payment(event))
    }

    fn apply_charge(
        &mut self,
        charge: &ChargeId,
        amount: Money,
        fee: Option<Money>,
        at: Timestamp,
        timers: &Timers,
    ) -> Result<Option<EventKind>, TransitionError> {
        self.check_currency(amount)?;
        if amount.amount != self.price.amount() {
            return Err(TransitionError::Mismatch(Mismatch::Amount));
        }
        let kind = match self.ledger.first(LedgerKind::Charge) {
            Some(entry) if entry.stripe_id != charge.as_str() => {
                return Err(TransitionError::Mismatch(Mismatch::Charge));
            }
            Some(_) => {
                let new_fee = fee
                    .filter(|fee| fee.amount > 0 && self.ledger.first(LedgerKind::Fee).is_none());
                let Some(fee) = new_fee else { return Ok(None) };
                self.add_ledger_entry(LedgerKind::Fee, charge.as_str(), negated(fee)?, at);
                return Ok(Some(EventKind::Payment(PaymentEvent::FeeKnown)));
            }
            None if self.status == Status::Pending => {
                self.enter(Status::Open, at, timers);
                EventKind::Transition(Transition::Pay)
            }
            None => EventKind::Payment(PaymentEvent::PaidLate),
        };
        self.add_ledger_entry(LedgerKind::Charge, charge.as_str(), amount, at);
        if let Some(fee) = fee.filter(|fee| fee.amount > 0) {
            self.add_ledger_entry(LedgerKind::Fee, charge.as_str(), negated(fee)?, at);
        }
        Ok(Some(kind))
    }

    fn apply_cancellation(&mut self, at: Timestamp, timers: &Timers) -> Option<EventKind> {
        if self.intent_canceled || self.is_charged() {
            return None;
        }
        self.intent_canceled = true;
        if self.status == Status::Pending {
            self.enter(Status::Canceled, at, timers);
            return Some(EventKind::Transition(Transition::Cancel));
        }
        Some(EventKind::Payment(PaymentEvent::PaymentCanceled))
    }

    fn apply_refund(
        &mut self,
        refund: Refund,
        at: Timestamp,
    ) -> Result<Option<EventKind>, TransitionError> {
        self.check_currency(refund.amount)?;
        let known = self.refunds.iter().position(|known| known.id == refund.id);
        let before = known.map(|index| &self.refunds[index]);
        if refund.amount.amount <= 0 || before.is_some_and(|before| before.amount != refund.amount)
        {
            return Err(TransitionError::Mismatch(Mismatch::Amount));
        }
        let before = before.map(|before| before.status);
        if before.is_some_and(|before| before >= refund.status) {
            return Ok(None);
        }
        let (id, amount) = (refund.id.as_str(), refund.amount);
        let event = match refund.status {
            RefundStatus::Pending => PaymentEvent::RefundStarted,
            RefundStatus::Succeeded => {
                if self.ledger.refunded().saturating_add(amount.amount) > self.price.amount() {
                    return Err(TransitionError::Mismatch(Mismatch::Amount));
                }
                self.add_ledger_entry(LedgerKind::Refund, id, negated(amount)?, at);
                PaymentEvent::RefundSucceeded
            }
            RefundStatus::Failed => {
                if before == Some(RefundStatus::Succeeded) {
                    self.add_ledger_entry(LedgerKind::RefundReversal, id, amount, at);
                }
                PaymentEvent::RefundFailed
            }
        };
        match known {
            Some(index) => self.refunds[index] = refund,
            None => self.refunds.push(refund),
        }
        Ok(Some(EventKind::Payment(event)))
    }

    fn apply_chargeback(
        &mut self,
        chargeback: Chargeback,
        at: Timestamp,
    ) -> Result<Option<EventKind>, TransitionError> {
        self.check_currency(chargeback.amount)?;
        if chargeback.amount.amount <= 0 {
            return Err(TransitionError::Mismatch(Mismatch::Amount));
        }
        let known = self.chargebacks.iter().position(|known| known.id == chargeback.id);
        if known.is_some_and(|index| !chargeback.state.follows(self.chargebacks[index].state)) {
            return Ok(None);
        }
        let (id, amount) = (chargeback.id.as_str(), chargeback.amount);
        let withdrawn = self.ledger.entry(LedgerKind::Chargeback, id).map(|entry| entry.money);
        let event = match (chargeback.state, withdrawn) {
            (ChargebackState::Inquiry, _) | (ChargebackState::Open, Some(_)) => {
                PaymentEvent::ChargebackOpened
            }
            (ChargebackState::Open, None) => {
                self.add_ledger_entry(LedgerKind::Chargeback, id, negated(amount)?, at);
                PaymentEvent::ChargebackOpened
            }
            (ChargebackState::Lost, None) => {
                self.add_ledger_entry(LedgerKind::Chargeback, id, negated(amount)?, at);
                PaymentEvent::ChargebackClosed
            }
            (ChargebackState::Won, Some(withdrawn)) => {
                // The withdrawn amount comes back, whatever amount the dispute ended with.
                self.add_ledger_entry(LedgerKind::ChargebackReversal, id, negated(withdrawn)?, at);
                PaymentEvent::ChargebackClosed
            }
            (ChargebackState::Won, None) | (ChargebackState::Lost, Some(_)) => {
                PaymentEvent::ChargebackClosed
            }
        };
        match known {
            Some(index) => self.chargebacks[index] = chargeback,
            None => self.chargebacks.push(chargeback),
        }
        Ok(Some(EventKind::Payment(event)))
    }

    fn check_currency(&self, money: Money) -> Result<(), TransitionError> {
        if money.currency == self.price.currency() {
            Ok(())
        } else {
            Err(TransitionError::Mismatch(Mismatch::Currency))
        }
    }

    /// Adds a ledger entry that belongs to the event about to be recorded.
    fn add_ledger_entry(&mut self, kind: LedgerKind, stripe_id: &str, money: Money, at: Timestamp) {
        let event = self.version + 1;
        self.ledger.push(LedgerEntry { event, kind, money, stripe_id: stripe_id.to_owned(), at });
    }

    fn recorded_attempts(&self) -> usize {
        let attempts = [
            PaymentEvent::PaymentProcessing,
            PaymentEvent::PaymentRequiresAction,
            PaymentEvent::PaymentFailed,
        ];
        let is_attempt =
            |kind| matches!(kind, EventKind::Payment(event) if attempts.contains(&event));
        self.history.iter().filter(|event| is_attempt(event.kind)).count()
    }
}

/// Returns the same amount in the opposite direction.
fn negated(money: Money) -> Result<Money, TransitionError> {
    money.checked_neg().ok_or(TransitionError::Mismatch(Mismatch::Amount))
}
