//! Random walks: the invariants hold whatever people, timers and Stripe do, in whatever sequence.

use std::collections::BTreeSet;

use super::fixture::*;
use crate::domain::order::*;
use crate::domain::user::{Caller, Role};

/// `xorshift64*`: the same seed gives the same walk on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % sides
    }

    fn pick<T: Clone>(&mut self, items: &[T]) -> T {
        items[self.roll(items.len())].clone()
    }
}

struct StripeRefund {
    idempotency_key: String,
    amount: i64,
    status: RefundStatus,
}

/// A model of Stripe: an intent that ends once, and refunds and one dispute that only move forward.
/// It reports its state at any time and repeats itself.
#[derive(Default)]
struct Stripe {
    charged: bool,
    canceled: bool,
    refunds: Vec<StripeRefund>,
    dispute: Option<ChargebackState>,
}

impl Stripe {
    fn step(&mut self, dice: &mut Dice, order: &Order) {
        match dice.roll(7) {
            0 if !self.canceled => self.charged = true,
            // Canceled in Stripe's dashboard.
            6 if !self.charged && dice.roll(8) == 0 => self.canceled = true,
            // Carries out the order's Stripe action.
            1 | 2 => match order.stripe_action() {
                Some(StripeAction::CancelIntent { .. }) if !self.charged => self.canceled = true,
                Some(StripeAction::Refund { amount, idempotency_key, .. }) => {
                    self.refund(dice, amount.amount, idempotency_key)
                }
                _ => {}
            },
            3 => {
                for refund in
                    self.refunds.iter_mut().filter(|refund| refund.status == RefundStatus::Pending)
                {
                    refund.status = dice.pick(&[RefundStatus::Succeeded, RefundStatus::Failed]);
                }
            }
            4 if self.charged
                && self.held() == PRICE
                && dice.roll(4) == 0
                && self.dispute.is_none() =>
            {
                self.dispute = Some(dice.pick(&[ChargebackState::Inquiry, ChargebackState::Open]));
            }
            5 => {
                self.dispute = self.dispute.map(|state| match state {
                    ChargebackState::Inquiry => ChargebackState::Won,
                    ChargebackState::Open => {
                        dice.pick(&[ChargebackState::Won, ChargebackState::Lost])
                    }
                    done => done,
                });
            }
            _ => {}
        }
    }

    fn refund(&mut self, dice: &mut Dice, amount: i64, idempotency_key: String) {
        if self.refunds.iter().any(|refund| refund.idempotency_key == idempotency_key) {
            return;
        }
        if self.held() < amount {
            assert!(self.dispute.is_some(), "refund exceeds the balance without a dispute");
            return;
        }
        let status =
            dice.pick(&[RefundStatus::Pending, RefundStatus::Succeeded, RefundStatus::Failed]);
        self.refunds.push(StripeRefund { idempotency_key, amount, status });
    }

    /// Returns what is left of the charge. Pending refunds count as gone.
    fn held(&self) -> i64 {
        let effective = self.refunds.iter().filter(|refund| refund.status != RefundStatus::Failed);
        let refunded: i64 = effective.map(|refund| refund.amount).sum();
        let taken = matches!(self.dispute, Some(ChargebackState::Open | ChargebackState::Lost));
        i64::from(self.charged) * PRICE - refunded - i64::from(taken) * PRICE
    }

    fn facts(&self) -> Vec<PaymentFact> {
        let mut facts = Vec::new();
        if self.charged {
            facts.push(succeeded());
        } else if self.canceled {
            facts.push(fact(PaymentFactKind::Canceled));
        } else {
            facts.extend(
                [
                    PaymentFactKind::Processing,
                    PaymentFactKind::RequiresAction,
                    PaymentFactKind::Failed,
                ]
                .map(fact),
            );
        }
        let refunds = self.refunds.iter().enumerate();
        facts.extend(
            refunds.map(|(n, known)| refund(&format!("re_{n}"), known.amount, known.status)),
        );
        facts.extend(self.dispute.map(|state| chargeback("dp_1", PRICE, state)));
        facts
    }
}

fn assert_invariants(before: &Order, after: &Order, stripe: &Stripe) {
    assert_eq!(after.version, before.version + 1);
    assert_eq!(after.history.len() as u64, after.version);
    assert_eq!(after.history[..before.history.len()], before.history, "history is only added to");
    assert!(after.history.iter().zip(1..).all(|(event, n)| event.n == n));
    assert!(after.history.is_sorted_by_key(|event| event.at));
    let event = after.last_event();
    assert_eq!((event.status, event.payment_status), (after.status, after.payment_status));
    assert_eq!((&event.worker, event.deadline), (&after.worker, after.deadline));

    // The work.
    assert!(!before.status.is_final() || after.status == before.status, "out of {}", before.status);
    if before.status != after.status {
        let is_rule = |rule: &Rule| rule.from == Some(before.status) && rule.to == after.status;
        assert!(TABLE.iter().any(is_rule), "{} to {}", before.status, after.status);
    }
    match after.status {
        Status::Pending | Status::Open => assert_eq!(after.worker, None),
        Status::Canceled => {}
        _ => assert!(after.worker.is_some()),
    }
    if before.worker != after.worker && before.worker.is_some() && after.worker.is_some() {
        assert_eq!(
            event.kind,
            EventKind::Transition(Transition::Reassign),
            "only an administrator replaces a worker"
        );
    }
    assert!(after.status != Status::Assigned || after.is_charged(), "work on an unpaid order");
    let stopped =
        after.status == Status::Pending && after.payment_status == PaymentStatus::Processing;
    assert_eq!(after.deadline.is_some(), after.status.timer().is_some() && !stopped);

    // The money.
    let (old, new) = (before.ledger.entries(), after.ledger.entries());
    assert_eq!(new[..old.len()], *old, "the ledger is only added to");
    assert!(
        new.iter().filter(|entry| entry.kind == LedgerKind::Charge).count() <= 1,
        "charged twice"
    );
    let mut ids: Vec<_> = new.iter().map(LedgerEntry::id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), new.len(), "entered twice");
    assert_eq!(new.iter().map(|entry| entry.money.amount).sum::<i64>(), after.ledger.balance());
    assert!(!before.is_charged() || after.is_charged());
    assert!(!after.is_charged() || stripe.charged);
    match after.payment_status {
        PaymentStatus::Refunded => assert!(after.ledger.balance() <= 0),
        PaymentStatus::RefundPending => assert_eq!(after.status, Status::Canceled),
        PaymentStatus::Paid => assert_ne!(after.status, Status::Canceled),
        _ => assert!(!after.is_charged()),
    }
    assert_eq!(after.at(after.version).as_ref(), Some(after));
}

#[test]
fn random_walks_keep_the_invariants_and_settle_all_money() {
    let people =
        [client(), worker(), other_worker(), admin(), Caller { role: Role::Worker, ..client() }];
    let mut seen = BTreeSet::new();
    for seed in 1..=1_000_u64 {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let (mut order, mut stripe, mut now) = (placed(), Stripe::default(), 0);
        let mut step = |order: &mut Order, stripe: &Stripe, next: Order| {
            assert_invariants(order, &next, stripe);
            let event = next.last_event();
            seen.insert((order.status, event.kind, next.status, event.actor.kind));
            *order = next;
        };
        for _ in 0..60 {
            now += [0, 1, 1, 5, 20, 5_000][dice.roll(6)];
            match dice.roll(8) {
                0..=3 => {
                    let who = dice.pick(&people);
                    let actions = order.actions(&who);
                    // Mostly try an allowed transition, sometimes any.
                    let candidates = if actions.is_empty() || dice.roll(8) == 0 {
                        Transition::ALL.to_vec()
                    } else {
                        actions
                    };
                    let named = (dice.roll(2) == 0).then(|| dice.pick(&people));
                    let context = ActorContext::user(&who, minute(now)).worker(named);
                    let transition = dice.pick(&candidates);
                    // Skip most endings, so that walks get long enough.
                    let ends = matches!(transition, Transition::Cancel | Transition::Dispute)
                        && dice.roll(4) > 0;
                    if let Some(next) =
                        order.transition(transition, context, &timers()).ok().filter(|_| !ends)
                    {
                        step(&mut order, &stripe, next);
                    }
                }
                4 => {
                    if let Some(due) = order.due(minute(now)) {
                        let next = order
                            .transition(due, ActorContext::timer(minute(now)), &timers())
                            .unwrap();
                        step(&mut order, &stripe, next);
                    }
                }
                5 => stripe.step(&mut dice, &order),
                _ => {
                    let fact = dice.pick(&stripe.facts());
                    if let Some(next) =
                        order.apply_payment_fact(&fact, minute(now), &timers()).unwrap()
                    {
                        step(&mut order, &stripe, next);
                        assert_eq!(
                            order.apply_payment_fact(&fact, minute(now), &timers()),
                            Ok(None),
                            "applied the same fact twice"
                        );
                    }
                }
            }
        }
        // Let Stripe finish and report. Then all money is with an order in progress or completed,
        // was refunded, or is on an administrator's list.
        for _ in 0..100 {
            stripe.step(&mut dice, &order);
            for fact in stripe.facts() {
                let next = order.with_fact(&fact);
                if next != order {
                    step(&mut order, &stripe, next);
                }
            }
        }
        let settled = match order.status {
            Status::Canceled => {
                order.payment_status == PaymentStatus::Refunded
                    || !order.is_charged() && order.stripe_action().is_none()
                    || !order.attention().is_empty()
            }
            _ => {
                order.is_funded()
                    || !order.is_charged()
                    || !order.attention().is_empty()
                    || order.status.is_final()
            }
        };
        assert!(settled, "seed {seed}: {order:#?}");
    }
    // The walks covered every row of the table with each of its actors, and everything that Stripe
    // can report.
    for rule in TABLE {
        for kind in rule.actors {
            let Some(from) = rule.from else { continue };
            let row = (from, EventKind::Transition(rule.transition), rule.to, *kind);
            assert!(seen.contains(&row), "never {row:?}");
        }
    }
    let unreported =
        [PaymentEvent::FeeKnown, PaymentEvent::PaymentStarted, PaymentEvent::RefundRefused];
    for step in PaymentEvent::ALL.into_iter().filter(|step| !unreported.contains(step)) {
        assert!(seen.iter().any(|(_, kind, ..)| *kind == EventKind::Payment(step)), "never {step}");
    }
}
