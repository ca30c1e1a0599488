//! Makes changes with their consequences: webhooks for the events, and settlement by a bank later.

use std::sync::Arc;

use crate::error::Error;
use crate::objects::event::DeliveryStatus;
use crate::objects::payment_intent::{PaymentIntent, Status};
use crate::objects::test_method::Outcome;
use crate::refund;
use crate::stripe::Stripe;
use crate::transaction::{Cause, Transaction};

impl Stripe {
    /// Makes one change, dispatches its events, and schedules what a bank settles later.
    ///
    /// # Errors
    /// 500 when the data file cannot be written.
    pub(crate) fn transact<T>(
        self: &Arc<Self>,
        cause: Cause,
        act: impl FnOnce(&mut Transaction<'_>) -> T,
    ) -> Result<T, Error> {
        let (result, events, unsettled) = self.change(cause, |transaction| {
            let result = act(transaction);
            let events = std::mem::take(&mut transaction.events);
            (result, events, std::mem::take(&mut transaction.unsettled))
        })?;
        self.dispatch(events);
        unsettled.into_iter().for_each(|id| self.settle_later(id));
        Ok(result)
    }

    /// Waits for [`settlement`](crate::Options::settlement), then ends the payment or refund `id`
    /// as its test method says.
    fn settle_later(self: &Arc<Self>, id: String) {
        let stripe = Arc::clone(self);
        self.spawn(async move {
            tokio::time::sleep(stripe.options.settlement).await;
            let settled = stripe.transact(Cause::default(), |transaction| {
                if let Ok(intent) = transaction.intent(&id) {
                    if intent.status == Status::Processing {
                        transaction.conclude(intent, None);
                    }
                } else if let Ok(refund) = transaction.refund(&id) {
                    refund::settle(transaction, refund);
                }
            });
            if settled.is_err() {
                stripe.log.line(None, &format!("{id} could not be settled"));
            }
        });
    }

    /// Continues where the last run stopped: sends pending events, and settles payments and refunds
    /// that wait for a bank.
    pub(crate) fn resume(self: &Arc<Self>) {
        let (pending, unsettled) = {
            let store = self.store();
            let pending: Vec<String> = store
                .events
                .iter()
                .filter(|event| event.delivery == DeliveryStatus::Pending)
                .map(|event| event.id.clone())
                .collect();
            let intents = store.intents.iter().filter(|intent| settles_by_itself(intent));
            let refunds = store.refunds.iter().filter(|refund| refund.settles_as.is_some());
            let unsettled: Vec<String> = intents
                .map(|intent| intent.id.clone())
                .chain(refunds.map(|refund| refund.id.clone()))
                .collect();
            (pending, unsettled)
        };
        self.dispatch(pending);
        unsettled.into_iter().for_each(|id| self.settle_later(id));
    }
}

fn settles_by_itself(intent: &PaymentIntent) -> bool {
    let outcome = intent.payment_method.as_ref().map(|method| method.test().outcome);
    intent.status == Status::Processing && matches!(outcome, Some(Outcome::Processes(Some(_))))
}
