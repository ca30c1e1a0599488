//! A fake of Stripe with the behavior that matters to an order: an intent ends once, refunds only
//! move forward, and calls can time out before or after they took effect.

use std::sync::{Mutex, MutexGuard};

use jiff::Timestamp;
use shared::domain::ids::{ChargeId, PaymentIntentId, RefundId};
use shared::domain::money::Money;
use shared::domain::order::{Chargeback, Order, Refund, RefundStatus};
use shared::error::{Error, Result, catalogue};
use shared::payments::{Charge, Intent, IntentStatus, StripeApi};

/// What goes wrong with the next call that changes something.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum CallFault {
    /// Nothing.
    #[default]
    None,
    /// It times out without taking effect.
    Before,
    /// It takes effect, then times out.
    After,
}

/// The fake.
#[derive(Debug, Default)]
pub(super) struct FakeStripe(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    intents: Vec<StoredIntent>,
    fault: CallFault,
}

/// An intent with the idempotency key that created it.
#[derive(Debug)]
struct StoredIntent {
    key: String,
    order: String,
    id: PaymentIntentId,
    status: IntentStatus,
    declined: bool,
    amount: Money,
    charges: usize,
    refunds: Vec<(String, Refund)>,
}

impl StoredIntent {
    fn refunded(&self) -> i64 {
        let refunds =
            self.refunds.iter().filter(|(_, refund)| refund.status != RefundStatus::Failed);
        refunds.map(|(_, refund)| refund.amount.amount).sum()
    }

    fn to_intent(&self) -> Intent {
        let charged = self.charges > 0;
        Intent {
            id: self.id.clone(),
            status: self.status.clone(),
            amount: Some(self.amount),
            amount_received: if charged { self.amount.amount } else { 0 },
            order_id: Some(self.order.clone()),
            client_secret: None,
            declined: self.declined,
            charge: charged.then(|| Charge {
                id: ChargeId::parse(&format!("ch_{}", &self.id.as_str()[3..])).unwrap(),
                fee: None,
                amount_refunded: self.refunded(),
                disputed: false,
            }),
        }
    }
}

fn timed_out() -> Error {
    Error::new(&catalogue::PAYMENTS_UNAVAILABLE, "Try again.")
}

impl FakeStripe {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// What goes wrong with the next call that changes something.
    pub(super) fn set_fault(&self, fault: CallFault) {
        self.state().fault = fault;
    }

    fn change<T>(&self, action: impl FnOnce(&mut State) -> Result<T>) -> Result<T> {
        let mut state = self.state();
        match std::mem::take(&mut state.fault) {
            CallFault::None => action(&mut state),
            CallFault::Before => Err(timed_out()),
            CallFault::After => action(&mut state).and(Err(timed_out())),
        }
    }

    /// Makes something happen to an order's intents at Stripe, as the client, the bank or time
    /// would.
    pub(super) fn apply(&self, order: &Order, what: StripeChange) {
        let mut state = self.state();
        for intent in state.intents.iter_mut().filter(|intent| intent.order == order.id.as_str()) {
            let open = matches!(
                intent.status,
                IntentStatus::RequiresPaymentMethod | IntentStatus::RequiresAction
            );
            let processing = intent.status == IntentStatus::Processing;
            match what {
                StripeChange::Pays if open => intent.charge(),
                StripeChange::Starts if open => intent.status = IntentStatus::Processing,
                StripeChange::Succeeds if processing => intent.charge(),
                StripeChange::Fails if processing || open => {
                    (intent.status, intent.declined) = (IntentStatus::RequiresPaymentMethod, true);
                }
                StripeChange::RefundSucceeds => intent.settle(RefundStatus::Succeeded),
                StripeChange::RefundFails => intent.settle(RefundStatus::Failed),
                _ => {}
            }
        }
    }

    /// Returns the order's intents, how often they were charged, and the amount that remains after
    /// all pending refunds.
    pub(super) fn of(&self, order: &Order) -> (Vec<PaymentIntentId>, usize, i64) {
        let state = self.state();
        let intents: Vec<_> =
            state.intents.iter().filter(|intent| intent.order == order.id.as_str()).collect();
        let charges: usize = intents.iter().map(|intent| intent.charges).sum();
        let held = intents.iter().map(|intent| {
            intent.amount.amount * i64::try_from(intent.charges).unwrap() - intent.refunded()
        });
        (intents.iter().map(|intent| intent.id.clone()).collect(), charges, held.sum())
    }
}

impl StoredIntent {
    fn charge(&mut self) {
        (self.status, self.charges) = (IntentStatus::Succeeded, self.charges + 1);
    }

    fn settle(&mut self, status: RefundStatus) {
        for (_, refund) in
            self.refunds.iter_mut().filter(|(_, refund)| refund.status == RefundStatus::Pending)
        {
            refund.status = status;
        }
    }
}

/// What can happen at Stripe.
#[derive(Debug, Clone, Copy)]
pub(super) enum StripeChange {
    Pays,
    Starts,
    Succeeds,
    Fails,
    RefundSucceeds,
    RefundFails,
}

impl State {
    fn of(&mut self, id: &PaymentIntentId) -> Result<&mut StoredIntent> {
        self.intents
            .iter_mut()
            .find(|intent| intent.id == *id)
            .ok_or_else(|| Error::internal("no such intent"))
    }
}

impl StripeApi for FakeStripe {
    async fn create_intent(&self, order: &Order) -> Result<Intent> {
        let key = order.intent_idempotency_key();
        self.change(|state| {
            if !state.intents.iter().any(|intent| intent.key == key) {
                let id =
                    PaymentIntentId::parse(&format!("pi_{}x{}", order.id, state.intents.len()))
                        .unwrap();
                let intent = StoredIntent {
                    key: key.clone(),
                    order: order.id.to_string(),
                    id,
                    status: IntentStatus::RequiresPaymentMethod,
                    declined: false,
                    amount: order.price.money(),
                    charges: 0,
                    refunds: Vec::new(),
                };
                state.intents.push(intent);
            }
            Ok(state.intents.iter().find(|intent| intent.key == key).unwrap().to_intent())
        })
    }

    async fn intent(&self, id: &PaymentIntentId) -> Result<Option<Intent>> {
        Ok(self.state().of(id).ok().map(|intent| intent.to_intent()))
    }

    async fn cancel_intent(&self, id: &PaymentIntentId) -> Result<Intent> {
        self.change(|state| {
            let intent = state.of(id)?;
            if matches!(
                intent.status,
                IntentStatus::RequiresPaymentMethod | IntentStatus::RequiresAction
            ) {
                intent.status = IntentStatus::Canceled;
            }
            Ok(intent.to_intent())
        })
    }

    async fn refund(&self, intent: &PaymentIntentId, amount: Money, key: &str) -> Result<Refund> {
        self.change(|state| {
            let intent = state.of(intent)?;
            if let Some((_, refund)) = intent.refunds.iter().find(|(known, _)| known == key) {
                return Ok(refund.clone());
            }
            assert!(
                intent.charges > 0 && intent.refunded() + amount.amount <= intent.amount.amount,
                "asks for too much back"
            );
            let id = RefundId::parse(&format!(
                "re_{}x{}",
                &intent.id.as_str()[3..],
                intent.refunds.len()
            ))
            .unwrap();
            let refund = Refund { id, amount, status: RefundStatus::Pending };
            intent.refunds.push((key.to_owned(), refund.clone()));
            Ok(refund)
        })
    }

    async fn refunds(&self, intent: &PaymentIntentId) -> Result<Vec<Refund>> {
        Ok(self.state().of(intent)?.refunds.iter().map(|(_, refund)| refund.clone()).collect())
    }

    async fn undelivered_events(&self, _: Timestamp) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    async fn chargebacks(&self, _: &PaymentIntentId) -> Result<Vec<Chargeback>> {
        Ok(Vec::new())
    }
}
