//! Translates Stripe's current data about a payment into facts about its order.

use jiff::Timestamp;

use super::api::StripeApi;
use super::intent::{Charge, Intent, IntentStatus};
use crate::domain::ids::PaymentIntentId;
use crate::domain::money::Money;
use crate::domain::order::{
    Chargeback, Mismatch, Order, PaymentFact, PaymentFactKind, Refund, Timers, TransitionError,
};
use crate::error::Result;

/// Stripe's data about one payment, as of one moment.
#[derive(Clone)]
pub struct Payment {
    /// The intent and its latest charge.
    pub intent: Intent,
    /// The refunds of the charge.
    pub refunds: Vec<Refund>,
    /// The disputes over the charge.
    pub chargebacks: Vec<Chargeback>,
}

impl Payment {
    /// Fetches a payment from Stripe. Returns `None` if the intent doesn't exist.
    ///
    /// Refunds and disputes are only fetched if the charge mentions some or `with_refunds` is set.
    /// The charge does not mention all of them: a failed refund, for example, leaves no trace in
    /// it.
    ///
    /// # Errors
    /// `payments_unavailable` if Stripe is down, slow or rate-limits us; internal if it rejects the
    /// request or returns something unexpected.
    pub async fn fetch(
        stripe: &impl StripeApi,
        id: &PaymentIntentId,
        with_refunds: bool,
    ) -> Result<Option<Self>> {
        let Some(intent) = stripe.intent(id).await? else { return Ok(None) };
        let wanted = |mentioned: fn(&Charge) -> bool| {
            intent.charge.as_ref().is_some_and(|charge| with_refunds || mentioned(charge))
        };
        let refunds = if wanted(|charge| charge.amount_refunded > 0) {
            stripe.refunds(id).await?
        } else {
            Vec::new()
        };
        let chargebacks = if wanted(|charge| charge.disputed) {
            stripe.chargebacks(id).await?
        } else {
            Vec::new()
        };
        Ok(Some(Self { intent, refunds, chargebacks }))
    }

    /// Creates a payment without refunds and disputes.
    pub fn from_intent(intent: Intent) -> Self {
        Self { intent, refunds: Vec::new(), chargebacks: Vec::new() }
    }

    /// Whether the payment can be applied later without being fetched again, because its intent is
    /// paid, is canceled or has a status that implies no fact. Any other status can be outdated by
    /// then.
    pub fn is_final(&self) -> bool {
        !matches!(
            self.status_fact(),
            Some(
                PaymentFactKind::Processing
                    | PaymentFactKind::RequiresAction
                    | PaymentFactKind::Failed
            )
        )
    }

    /// Applies the payment to its order. Returns `None` if the order already reflects it.
    ///
    /// # Errors
    /// [`TransitionError::Mismatch`] if the intent belongs to another order or has another price.
    pub fn apply(
        &self,
        order: &Order,
        at: Timestamp,
        timers: &Timers,
    ) -> std::result::Result<Option<Order>, TransitionError> {
        self.check(order)?;
        let mut next: Option<Order> = None;
        for fact in self.facts() {
            if let Some(after) =
                next.as_ref().unwrap_or(order).apply_payment_fact(&fact, at, timers)?
            {
                next = Some(after);
            }
        }
        Ok(next)
    }

    /// Checks that the intent was created for this order and its price. Otherwise none of its data
    /// is applied.
    fn check(&self, order: &Order) -> std::result::Result<(), TransitionError> {
        let intent = &self.intent;
        let price = order.price.money();
        let mismatch = match intent.amount {
            _ if intent.order_id.as_deref() != Some(order.id.as_str()) => Mismatch::Intent,
            _ if order.payment_intent.as_ref().is_some_and(|bound| *bound != intent.id) => {
                Mismatch::Intent
            }
            Some(amount) if amount == price => return Ok(()),
            Some(amount) if amount.currency == price.currency => Mismatch::Amount,
            _ => Mismatch::Currency,
        };
        Err(TransitionError::Mismatch(mismatch))
    }

    fn facts(&self) -> Vec<PaymentFact> {
        let refunds = self.refunds.iter().cloned().map(|Refund { id, amount, status }| {
            PaymentFactKind::Refund { refund: id, amount, status }
        });
        let chargebacks =
            self.chargebacks.iter().cloned().map(|Chargeback { id, amount, state }| {
                PaymentFactKind::Chargeback { chargeback: id, amount, state }
            });
        let kinds = self.status_fact().into_iter().chain(refunds).chain(chargebacks);
        kinds.map(|kind| PaymentFact { intent: self.intent.id.clone(), kind }).collect()
    }

    /// Returns the fact that the intent's status implies, if it implies one.
    fn status_fact(&self) -> Option<PaymentFactKind> {
        let intent = &self.intent;
        match (&intent.status, &intent.charge, intent.amount) {
            (IntentStatus::Processing, ..) => Some(PaymentFactKind::Processing),
            (IntentStatus::RequiresAction, ..) => Some(PaymentFactKind::RequiresAction),
            (IntentStatus::RequiresPaymentMethod, ..) if intent.declined => {
                Some(PaymentFactKind::Failed)
            }
            (IntentStatus::Succeeded, Some(charge), Some(amount)) => {
                Some(PaymentFactKind::Succeeded {
                    charge: charge.id.clone(),
                    amount: Money::new(intent.amount_received, amount.currency),
                    fee: charge.fee,
                })
            }
            (IntentStatus::Canceled, ..) => Some(PaymentFactKind::Canceled),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{ChargeId, ChargebackId, OrderId, RefundId, ServiceId, UserId};
    use crate::domain::money::{Currency, Price};
    use crate::domain::order::{
        ActorContext, ChargebackState, PaymentStatus, RefundStatus, Status, Transition,
    };
    use crate::domain::service::{NewService, Service};
    use crate::domain::text::{Category, Description, Name};
    use crate::domain::user::{Caller, Role, Username};

    const AT: Timestamp = Timestamp::UNIX_EPOCH;

    fn usd(amount: i64) -> Money {
        Money::new(amount, Currency::USD)
    }

    fn client() -> Caller {
        Caller {
            id: UserId::derived(&["client"]),
            username: Username::parse("client1").unwrap(),
            role: Role::Client,
            active: true,
        }
    }

    fn order(name: &str) -> Order {
        let service = NewService {
            name: Name::parse("Web development").unwrap(),
            description: Description::parse("A site").unwrap(),
            category: Category::parse("web").unwrap(),
            price: Price::parse(usd(1999)).unwrap(),
        };
        let service = Service::new(ServiceId::derived(&["service"]), service, AT);
        Order::place(
            OrderId::derived(&[name]),
            &service,
            ActorContext::user(&client(), AT),
            &Timers::default(),
        )
        .unwrap()
    }

    fn intent(order: &Order, status: IntentStatus) -> Intent {
        let charged = status == IntentStatus::Succeeded;
        let charge = Charge {
            id: ChargeId::parse("ch_1").unwrap(),
            fee: None,
            amount_refunded: 0,
            disputed: false,
        };
        Intent {
            id: PaymentIntentId::parse("pi_1").unwrap(),
            status,
            amount: Some(usd(1999)),
            amount_received: if charged { 1999 } else { 0 },
            order_id: Some(order.id.to_string()),
            client_secret: None,
            declined: false,
            charge: charged.then_some(charge),
        }
    }

    fn apply(
        payment: &Payment,
        order: &Order,
    ) -> std::result::Result<Option<Order>, TransitionError> {
        payment.apply(order, AT, &Timers::default())
    }

    #[test]
    fn each_intent_status_maps_to_a_payment_status() {
        let order = order("a");
        let after = |intent: Intent| {
            apply(&Payment::from_intent(intent), &order)
                .unwrap()
                .map(|order| (order.status, order.payment_status))
        };
        let declined =
            Intent { declined: true, ..intent(&order, IntentStatus::RequiresPaymentMethod) };
        for (intent, expected) in [
            (intent(&order, IntentStatus::RequiresPaymentMethod), None),
            (declined, Some((Status::Pending, PaymentStatus::Failed))),
            (intent(&order, IntentStatus::RequiresConfirmation), None),
            (
                intent(&order, IntentStatus::RequiresAction),
                Some((Status::Pending, PaymentStatus::RequiresAction)),
            ),
            (
                intent(&order, IntentStatus::Processing),
                Some((Status::Pending, PaymentStatus::Processing)),
            ),
            (intent(&order, IntentStatus::RequiresCapture), None),
            (intent(&order, IntentStatus::Succeeded), Some((Status::Open, PaymentStatus::Paid))),
            (
                intent(&order, IntentStatus::Canceled),
                Some((Status::Canceled, PaymentStatus::Unpaid)),
            ),
            (intent(&order, IntentStatus::Other("new".into())), None),
        ] {
            let name = intent.status.as_str().to_owned();
            assert_eq!(after(intent), expected, "{name}");
        }
    }

    #[test]
    fn an_intent_that_does_not_match_the_order_is_rejected() {
        let (mine, other) = (order("mine"), order("other"));
        let paid = || intent(&mine, IntentStatus::Succeeded);
        let mismatch = |intent: Intent| apply(&Payment::from_intent(intent), &mine).unwrap_err();
        let euro = Money::new(1999, Currency::parse("eur").unwrap());
        for (intent, expected) in [
            (intent(&other, IntentStatus::Succeeded), Mismatch::Intent),
            (Intent { order_id: None, ..paid() }, Mismatch::Intent),
            (Intent { amount: Some(usd(1998)), ..paid() }, Mismatch::Amount),
            (
                Intent { amount: Some(usd(1)), ..intent(&mine, IntentStatus::Processing) },
                Mismatch::Amount,
            ),
            (Intent { amount_received: 1998, ..paid() }, Mismatch::Amount),
            (Intent { amount: Some(euro), ..paid() }, Mismatch::Currency),
            (Intent { amount: None, ..paid() }, Mismatch::Currency),
        ] {
            assert_eq!(mismatch(intent), TransitionError::Mismatch(expected));
        }
        let open = apply(&Payment::from_intent(paid()), &mine).unwrap().unwrap();
        let second = Intent { id: PaymentIntentId::parse("pi_2").unwrap(), ..paid() };
        assert_eq!(
            apply(&Payment::from_intent(second), &open).unwrap_err(),
            TransitionError::Mismatch(Mismatch::Intent)
        );
    }

    #[test]
    fn charge_refund_and_dispute_in_one_response_are_each_applied_once() {
        let order = order("a")
            .transition(Transition::Cancel, ActorContext::user(&client(), AT), &Timers::default())
            .unwrap();
        let mut payment = Payment::from_intent(intent(&order, IntentStatus::Succeeded));
        payment.intent.charge.as_mut().unwrap().fee = Some(usd(88));
        payment.refunds = vec![Refund {
            id: RefundId::parse("re_1").unwrap(),
            amount: usd(999),
            status: RefundStatus::Succeeded,
        }];
        payment.chargebacks = vec![Chargeback {
            id: ChargebackId::parse("dp_1").unwrap(),
            amount: usd(1000),
            state: ChargebackState::Lost,
        }];
        let after = apply(&payment, &order).unwrap().unwrap();
        assert_eq!(
            (after.status, after.payment_status, after.ledger.balance()),
            (Status::Canceled, PaymentStatus::Refunded, 0)
        );
        assert_eq!(
            (after.version, after.history.len()),
            (order.version + 3, order.history.len() + 3)
        );
        assert_eq!(apply(&payment, &after).unwrap(), None);
    }
}
