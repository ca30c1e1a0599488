//! People, a service, and orders that reached their status through real transitions.

use jiff::{SignedDuration, Timestamp};

use crate::domain::ids::{
    ChargeId, ChargebackId, OrderId, PaymentIntentId, RefundId, ServiceId, UserId,
};
use crate::domain::money::{Currency, Money, Price};
use crate::domain::order::*;
use crate::domain::service::{NewService, Service};
use crate::domain::text::{Category, Description, Name};
use crate::domain::user::{Caller, Role, Username};

pub(crate) const PRICE: i64 = 1999;

/// Returns the time `n` minutes after the start of every test.
pub(crate) fn minute(n: i64) -> Timestamp {
    Timestamp::from_second(1_760_000_000).unwrap() + SignedDuration::from_mins(n)
}

pub(crate) fn caller(name: &str, role: Role) -> Caller {
    Caller {
        id: UserId::derived(&[name]),
        username: Username::parse(name).unwrap(),
        role,
        active: true,
    }
}

pub(crate) fn client() -> Caller {
    caller("carol", Role::Client)
}

pub(crate) fn worker() -> Caller {
    caller("walter", Role::Worker)
}

pub(crate) fn other_worker() -> Caller {
    caller("wanda", Role::Worker)
}

pub(crate) fn admin() -> Caller {
    caller("ada", Role::Admin)
}

pub(crate) fn service() -> Service {
    let new = NewService {
        name: Name::parse("Logo").unwrap(),
        description: Description::parse("").unwrap(),
        category: Category::parse("Design").unwrap(),
        price: Price::parse(usd(PRICE)).unwrap(),
    };
    Service::new(ServiceId::derived(&["logo"]), new, minute(0))
}

pub(crate) fn usd(amount: i64) -> Money {
    Money::new(amount, Currency::USD)
}

pub(crate) fn timers() -> Timers {
    Timers::default()
}

pub(crate) fn fact(kind: PaymentFactKind) -> PaymentFact {
    PaymentFact { intent: PaymentIntentId::parse("pi_1").unwrap(), kind }
}

pub(crate) fn succeeded() -> PaymentFact {
    fact(PaymentFactKind::Succeeded {
        charge: ChargeId::parse("ch_1").unwrap(),
        amount: usd(PRICE),
        fee: None,
    })
}

pub(crate) fn refund(id: &str, amount: i64, status: RefundStatus) -> PaymentFact {
    fact(PaymentFactKind::Refund {
        refund: RefundId::parse(id).unwrap(),
        amount: usd(amount),
        status,
    })
}

pub(crate) fn chargeback(id: &str, amount: i64, state: ChargebackState) -> PaymentFact {
    fact(PaymentFactKind::Chargeback {
        chargeback: ChargebackId::parse(id).unwrap(),
        amount: usd(amount),
        state,
    })
}

impl Order {
    /// Returns the order after a transition that must be allowed, at the time of the last event.
    pub(crate) fn then(&self, transition: Transition, caller: &Caller) -> Self {
        self.transition(transition, ActorContext::user(caller, self.updated_at), &timers()).unwrap()
    }

    /// Returns the order after a report from Stripe, whether or not it contained anything new.
    pub(crate) fn with_fact(&self, fact: &PaymentFact) -> Self {
        self.apply_payment_fact(fact, self.updated_at, &timers())
            .unwrap()
            .unwrap_or_else(|| self.clone())
    }

    pub(crate) fn last_event(&self) -> &Event {
        self.history.last().unwrap()
    }
}

pub(crate) fn placed() -> Order {
    let id = OrderId::derived(&["order"]);
    Order::place(id, &service(), ActorContext::user(&client(), minute(0)), &timers()).unwrap()
}

/// Returns an order in this status that belongs to [`client`] and, if it has a worker, to
/// [`worker`].
pub(crate) fn order_in(status: Status) -> Order {
    let open = || placed().with_fact(&succeeded());
    let assigned = || open().then(Transition::Accept, &worker());
    let delivered = || assigned().then(Transition::Deliver, &worker());
    let order = match status {
        Status::Pending => placed(),
        Status::Open => open(),
        Status::Assigned => assigned(),
        Status::Delivered => delivered(),
        Status::Completed => delivered().then(Transition::Complete, &client()),
        Status::Disputed => delivered().then(Transition::Dispute, &client()),
        Status::Canceled => placed().then(Transition::Cancel, &client()),
    };
    assert_eq!(order.status, status);
    order
}
