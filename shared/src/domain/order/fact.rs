//! Stripe moves an order: what it says becomes ledger entries, the state of payment and, where the
//! order waits for it, a move.
//!
//! A fact is applied any number of times with the effect of once, and the facts of one payment end
//! in the same state in whatever order they come: money that moved is entered once under Stripe's
//! id, final statements win over earlier ones, and the state of payment is read off the ledger.
//! Only [`PaymentFactKind::Processing`], [`PaymentFactKind::RequiresAction`] and
//! [`PaymentFactKind::Failed`] replace one another as they come, until one is final; they have to
//! be taken from the intent as Stripe gives it when they are applied, not from an event that may be
//! old.

use jiff::Timestamp;

use super::history::{Actor, EventKind, PaymentStep};
use super::ledger::{LedgerEntry, LedgerKind};
use super::payment::{
    Chargeback, ChargebackState, MAX_NOTED_ATTEMPTS, PaymentFact, PaymentFactKind, Refund,
    RefundStatus,
};
use super::state::{ActorKind, PaymentStatus, Status, Transition};
use super::table::Timer;
use super::transition::{ActorContext, Change, Who};
use super::{Mismatch, Order, Timers, TransitionError};
use crate::domain::ids::{ChargeId, PaymentIntentId};
use crate::domain::money::Money;
use crate::domain::user::Role;

impl Order {
    /// Notes the intent that Stripe made for this order. `None`: it was noted already. An order
    /// that was called off meanwhile takes it too, and has it canceled ([`Order::money_step`]).
    /// Another intent than the one noted is a [`TransitionError::Mismatch`].
    pub fn bind_intent(
        &self,
        intent: PaymentIntentId,
        by: ActorContext,
    ) -> Result<Option<Self>, TransitionError> {
        let actor = match &by.who {
            Who::User(caller) if caller.id == self.client.id => {
                Actor::user(ActorKind::Client, caller)
            }
            Who::User(_) | Who::Timer => return Err(TransitionError::Forbidden),
        };
        self.check_intent(&intent)?;
        if self.payment_intent.is_some() {
            return Ok(None);
        }
        let mut next = self.clone();
        next.payment_intent = Some(intent);
        let kind = EventKind::Payment(PaymentStep::PaymentStarted);
        Ok(Some(next.record(Change {
            kind,
            actor,
            at: by.at,
            note: by.note,
            idempotency: by.idempotency,
        })))
    }

    /// The order after what Stripe said; `None` when it knew already. It is never refused for its
    /// state: money that moved is entered. What is of another intent, charge, amount or currency is
    /// a [`TransitionError::Mismatch`].
    ///
    /// A payment that succeeds opens a pending order; when the order was called off meanwhile, the
    /// money is to go back. An intent that is canceled cancels a pending order: it could never be
    /// paid. Nothing else moves work, and nothing moves it backwards.
    pub fn payment_fact(
        &self,
        fact: &PaymentFact,
        at: Timestamp,
        timers: &Timers,
    ) -> Result<Option<Self>, TransitionError> {
        self.check_intent(&fact.intent)?;
        let at = at.max(self.updated_at);
        let mut next = self.clone();
        // A webhook may come before the answer to the call that made the intent.
        next.payment_intent = Some(fact.intent.clone());
        let changed = match &fact.kind {
            PaymentFactKind::Processing => next.attempted(
                PaymentStatus::Processing,
                PaymentStep::PaymentProcessing,
                at,
                timers,
            ),
            PaymentFactKind::RequiresAction => next.attempted(
                PaymentStatus::RequiresAction,
                PaymentStep::PaymentRequiresAction,
                at,
                timers,
            ),
            PaymentFactKind::Failed => {
                next.attempted(PaymentStatus::Failed, PaymentStep::PaymentFailed, at, timers)
            }
            PaymentFactKind::Succeeded { charge, amount, fee } => {
                next.charged(charge, *amount, *fee, at, timers)?
            }
            PaymentFactKind::Canceled => next.canceled(at, timers),
            PaymentFactKind::Refund { refund, amount, status } => {
                next.refunded(Refund { id: refund.clone(), amount: *amount, status: *status }, at)?
            }
            PaymentFactKind::Chargeback { chargeback, amount, state } => next.charged_back(
                Chargeback { id: chargeback.clone(), amount: *amount, state: *state },
                at,
            )?,
        };
        let actor = Actor::system(ActorKind::Stripe);
        Ok(changed
            .map(|kind| next.record(Change { kind, actor, at, note: None, idempotency: None })))
    }

    /// Notes who had the intent canceled, and why, when Stripe's word of it was faster and has
    /// canceled the order already.
    pub fn intent_canceled_by(&self, by: ActorContext) -> Result<Self, TransitionError> {
        let Who::User(caller) = &by.who else { return Err(TransitionError::Forbidden) };
        let kind = if caller.role == Role::Admin { ActorKind::Admin } else { ActorKind::Client };
        let (actor, step) =
            (Actor::user(kind, caller), EventKind::Payment(PaymentStep::PaymentCanceled));
        Ok(self.clone().record(Change {
            kind: step,
            actor,
            at: by.at,
            note: by.note,
            idempotency: by.idempotency,
        }))
    }

    /// The order after Stripe refused the refund of its [`Order::money_step`]: an attempt that
    /// failed. Stripe repeats a refusal for a day under the same idempotency key, and the next
    /// attempt has another.
    pub fn refund_refused(&self, at: Timestamp) -> Self {
        let mut next = self.clone();
        next.refused_refunds += 1;
        let kind = EventKind::Payment(PaymentStep::RefundRefused);
        next.record(Change {
            kind,
            actor: Actor::system(ActorKind::Stripe),
            at,
            note: None,
            idempotency: None,
        })
    }

    fn check_intent(&self, intent: &PaymentIntentId) -> Result<(), TransitionError> {
        match &self.payment_intent {
            Some(bound) if bound != intent => Err(TransitionError::Mismatch(Mismatch::Intent)),
            _ => Ok(()),
        }
    }

    /// Each of the following changes the order and says by which event, or says that there is
    /// nothing to change.
    fn attempted(
        &mut self,
        status: PaymentStatus,
        step: PaymentStep,
        at: Timestamp,
        timers: &Timers,
    ) -> Option<EventKind> {
        let waits = self.status == Status::Pending && !self.is_charged();
        if !waits || self.payment_status == status || self.noted_attempts() >= MAX_NOTED_ATTEMPTS {
            return None;
        }
        // The time to pay runs, but not while Stripe waits for the bank: nobody can hurry that.
        if status == PaymentStatus::Processing {
            self.deadline = None;
        } else if self.payment_status == PaymentStatus::Processing {
            self.deadline = Some(timers.deadline(Timer::Unpaid, at));
        }
        self.payment_status = status;
        Some(EventKind::Payment(step))
    }

    fn charged(
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
        let kind = match self.ledger.find(LedgerKind::Charge) {
            Some(entry) if entry.stripe_id != charge.as_str() => {
                return Err(TransitionError::Mismatch(Mismatch::Charge));
            }
            Some(_) => {
                let news =
                    fee.filter(|fee| fee.amount > 0 && self.ledger.find(LedgerKind::Fee).is_none());
                let Some(fee) = news else { return Ok(None) };
                self.enter_money(LedgerKind::Fee, charge.as_str(), outgoing(fee)?, at);
                return Ok(Some(EventKind::Payment(PaymentStep::FeeKnown)));
            }
            None if self.status == Status::Pending => {
                self.enter(Status::Open, at, timers);
                EventKind::Transition(Transition::Pay)
            }
            None => EventKind::Payment(PaymentStep::PaidLate),
        };
        self.enter_money(LedgerKind::Charge, charge.as_str(), amount, at);
        if let Some(fee) = fee.filter(|fee| fee.amount > 0) {
            self.enter_money(LedgerKind::Fee, charge.as_str(), outgoing(fee)?, at);
        }
        Ok(Some(kind))
    }

    fn canceled(&mut self, at: Timestamp, timers: &Timers) -> Option<EventKind> {
        if self.intent_canceled || self.is_charged() {
            return None;
        }
        self.intent_canceled = true;
        if self.status == Status::Pending {
            self.enter(Status::Canceled, at, timers);
            return Some(EventKind::Transition(Transition::Cancel));
        }
        Some(EventKind::Payment(PaymentStep::PaymentCanceled))
    }

    fn refunded(
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
        let step = match refund.status {
            RefundStatus::Pending => PaymentStep::RefundStarted,
            RefundStatus::Succeeded => {
                if self.ledger.refunded().saturating_add(amount.amount) > self.price.amount() {
                    return Err(TransitionError::Mismatch(Mismatch::Amount));
                }
                self.enter_money(LedgerKind::Refund, id, outgoing(amount)?, at);
                PaymentStep::RefundSucceeded
            }
            RefundStatus::Failed => {
                if before == Some(RefundStatus::Succeeded) {
                    self.enter_money(LedgerKind::RefundReversal, id, amount, at);
                }
                PaymentStep::RefundFailed
            }
        };
        match known {
            Some(index) => self.refunds[index] = refund,
            None => self.refunds.push(refund),
        }
        Ok(Some(EventKind::Payment(step)))
    }

    fn charged_back(
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
        let withdrawn = self.ledger.of(LedgerKind::Chargeback, id).map(|entry| entry.money);
        let step = match (chargeback.state, withdrawn) {
            (ChargebackState::Inquiry, _) | (ChargebackState::Open, Some(_)) => {
                PaymentStep::ChargebackOpened
            }
            (ChargebackState::Open, None) => {
                self.enter_money(LedgerKind::Chargeback, id, outgoing(amount)?, at);
                PaymentStep::ChargebackOpened
            }
            (ChargebackState::Lost, None) => {
                self.enter_money(LedgerKind::Chargeback, id, outgoing(amount)?, at);
                PaymentStep::ChargebackClosed
            }
            (ChargebackState::Won, Some(taken)) => {
                // What was taken comes back, whatever amount the dispute ended with.
                self.enter_money(LedgerKind::ChargebackReversal, id, outgoing(taken)?, at);
                PaymentStep::ChargebackClosed
            }
            (ChargebackState::Won, None) | (ChargebackState::Lost, Some(_)) => {
                PaymentStep::ChargebackClosed
            }
        };
        match known {
            Some(index) => self.chargebacks[index] = chargeback,
            None => self.chargebacks.push(chargeback),
        }
        Ok(Some(EventKind::Payment(step)))
    }

    fn check_currency(&self, money: Money) -> Result<(), TransitionError> {
        let same = money.currency == self.price.currency();
        if same { Ok(()) } else { Err(TransitionError::Mismatch(Mismatch::Currency)) }
    }

    /// Enters a movement under the event that is about to be recorded.
    fn enter_money(&mut self, kind: LedgerKind, stripe_id: &str, money: Money, at: Timestamp) {
        let event = self.version + 1;
        self.ledger.push(LedgerEntry { event, kind, money, stripe_id: stripe_id.to_owned(), at });
    }

    fn noted_attempts(&self) -> usize {
        let attempts = [
            PaymentStep::PaymentProcessing,
            PaymentStep::PaymentRequiresAction,
            PaymentStep::PaymentFailed,
        ];
        let is_attempt =
            |kind| matches!(kind, EventKind::Payment(step) if attempts.contains(&step));
        self.history.iter().filter(|event| is_attempt(event.kind)).count()
    }
}

/// The opposite movement.
fn outgoing(money: Money) -> Result<Money, TransitionError> {
    money.checked_neg().ok_or(TransitionError::Mismatch(Mismatch::Amount))
}
