//! Payments, reported by Stripe in any sequence and any number of times.

use jiff::SignedDuration;

use super::fixture::*;
use crate::domain::ids::{ChargeId, PaymentIntentId};
use crate::domain::money::{Currency, Money};
use crate::domain::order::*;

fn with_fee(fee: i64) -> PaymentFact {
    fact(PaymentFactKind::Succeeded {
        charge: ChargeId::parse("ch_1").unwrap(),
        amount: usd(PRICE),
        fee: Some(usd(fee)),
    })
}

/// Everything that must not depend on the sequence of the facts: all but the history and its
/// numbers.
fn outcome(order: &Order) -> impl PartialEq + std::fmt::Debug {
    let ledger =
        (order.ledger.balance(), order.ledger.refunded(), order.ledger.fees(Currency::USD));
    let mut chargebacks = order.chargebacks.clone();
    chargebacks.sort_by(|a, b| a.id.cmp(&b.id));
    let mut refunds = order.refunds.clone();
    refunds.sort_by(|a, b| a.id.cmp(&b.id));
    let intent = (order.payment_intent.clone(), order.intent_canceled);
    (
        order.status,
        order.payment_status,
        ledger,
        intent,
        refunds,
        chargebacks,
        order.stripe_action(),
        order.attention(),
    )
}

fn permutations<T: Clone>(items: &[T]) -> Vec<Vec<T>> {
    if items.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for index in 0..items.len() {
        let mut rest = items.to_vec();
        let first = rest.remove(index);
        for mut tail in permutations(&rest) {
            tail.insert(0, first.clone());
            all.push(tail);
        }
    }
    all
}

/// Asserts that all sequences of the facts lead to the same result, also if each fact is repeated
/// three times.
pub(super) fn assert_sequence_does_not_matter(order: &Order, facts: &[PaymentFact]) -> Order {
    let expected = facts.iter().fold(order.clone(), |order, fact| order.with_fact(fact));
    for sequence in permutations(facts) {
        for repeat in [1, 3] {
            let facts_in_sequence =
                sequence.iter().flat_map(|fact| std::iter::repeat_n(fact, repeat));
            let once =
                facts_in_sequence.clone().fold(order.clone(), |order, fact| order.with_fact(fact));
            assert_eq!(outcome(&once), outcome(&expected), "{sequence:?}");
            // Repeating the whole sequence changes nothing.
            let again = facts_in_sequence.fold(once.clone(), |order, fact| order.with_fact(fact));
            assert_eq!(outcome(&again), outcome(&expected), "{sequence:?}");
        }
    }
    expected
}

#[test]
fn the_events_of_one_payment_lead_to_the_same_state_in_any_sequence() {
    let attempts = [
        fact(PaymentFactKind::RequiresAction),
        fact(PaymentFactKind::Failed),
        fact(PaymentFactKind::Processing),
    ];
    let paid = assert_sequence_does_not_matter(
        &placed(),
        &[&attempts[..], &[succeeded(), with_fee(88)]].concat(),
    );
    assert_eq!((paid.status, paid.payment_status), (Status::Open, PaymentStatus::Paid));
    assert_eq!((paid.ledger.balance(), paid.ledger.fees(Currency::USD)), (PRICE, 88));

    let canceled = assert_sequence_does_not_matter(
        &placed(),
        &[&attempts[..], &[fact(PaymentFactKind::Canceled)]].concat(),
    );
    assert_eq!(
        (canceled.status, canceled.payment_status),
        (Status::Canceled, PaymentStatus::Unpaid)
    );
    assert_eq!(canceled.stripe_action(), None);
}

#[test]
fn a_payment_that_succeeds_after_cancellation_is_refunded() {
    for canceled in [
        placed().then(Transition::Cancel, &client()),
        placed()
            .transition(Transition::Expire, ActorContext::timer(minute(30)), &timers())
            .unwrap(),
    ] {
        let paid = canceled.with_fact(&succeeded());
        assert_eq!(
            (paid.status, paid.payment_status),
            (Status::Canceled, PaymentStatus::RefundPending)
        );
        assert_eq!(paid.last_event().kind, EventKind::Payment(PaymentEvent::PaidLate));
        let Some(StripeAction::Refund { amount, .. }) = paid.stripe_action() else {
            panic!("{:?}", paid.stripe_action())
        };
        assert_eq!(amount, usd(PRICE));

        let facts = [
            fact(PaymentFactKind::Processing),
            succeeded(),
            refund("re_1", PRICE, RefundStatus::Pending),
            refund("re_1", PRICE, RefundStatus::Succeeded),
        ];
        let back = assert_sequence_does_not_matter(&canceled, &facts);
        assert_eq!(back.payment_status, PaymentStatus::Refunded);
        assert_eq!(back.ledger.balance(), 0);
        assert_eq!(back.stripe_action(), None);
    }
}

#[test]
fn an_order_with_an_intent_is_unsettled_until_its_money_stops_moving() {
    assert!(!placed().has_unsettled_money(), "it has no intent");
    let intent = PaymentIntentId::parse("pi_1").unwrap();
    let bound =
        placed().attach_intent(intent, ActorContext::user(&client(), minute(0))).unwrap().unwrap();
    for pending in [
        &bound,
        &bound.with_fact(&fact(PaymentFactKind::Processing)),
        &bound.with_fact(&fact(PaymentFactKind::Failed)),
    ] {
        assert!(pending.has_unsettled_money(), "{}", pending.payment_status);
    }
    assert!(!bound.with_fact(&succeeded()).has_unsettled_money());
    assert!(!bound.with_fact(&fact(PaymentFactKind::Canceled)).has_unsettled_money());
    let canceled = bound.then(Transition::Cancel, &client());
    assert!(
        canceled.has_unsettled_money()
            && !canceled.with_fact(&fact(PaymentFactKind::Canceled)).has_unsettled_money()
    );
}

#[test]
fn reports_that_contradict_the_order_are_refused() {
    let eur = |amount| Money::new(amount, Currency::parse("eur").unwrap());
    let charged = |charge: &str, amount| PaymentFactKind::Succeeded {
        charge: ChargeId::parse(charge).unwrap(),
        amount,
        fee: None,
    };
    let apply = |order: &Order, fact: &PaymentFact| {
        order.apply_payment_fact(fact, minute(1), &timers()).map(|next| next.is_some())
    };
    let mismatch = |kind| Err(TransitionError::Mismatch(kind));

    let pending = placed().with_fact(&fact(PaymentFactKind::Failed));
    assert_eq!(apply(&pending, &fact(charged("ch_1", usd(PRICE - 1)))), mismatch(Mismatch::Amount));
    assert_eq!(apply(&pending, &fact(charged("ch_1", usd(PRICE + 1)))), mismatch(Mismatch::Amount));
    assert_eq!(apply(&pending, &fact(charged("ch_1", eur(PRICE)))), mismatch(Mismatch::Currency));
    let intent = PaymentIntentId::parse("pi_2").unwrap();
    for kind in [charged("ch_1", usd(PRICE)), PaymentFactKind::Canceled, PaymentFactKind::Failed] {
        assert_eq!(
            apply(&pending, &PaymentFact { intent: intent.clone(), kind }),
            mismatch(Mismatch::Intent)
        );
    }
    assert_eq!(
        pending.attach_intent(intent, ActorContext::user(&client(), minute(1))),
        Err(TransitionError::Mismatch(Mismatch::Intent))
    );

    let open = order_in(Status::Open);
    assert_eq!(apply(&open, &fact(charged("ch_2", usd(PRICE)))), mismatch(Mismatch::Charge));
    assert_eq!(
        apply(&open, &refund("re_1", PRICE + 1, RefundStatus::Succeeded)),
        mismatch(Mismatch::Amount)
    );
    assert_eq!(apply(&open, &refund("re_1", 0, RefundStatus::Pending)), mismatch(Mismatch::Amount));
    let part = open.with_fact(&refund("re_1", 1500, RefundStatus::Succeeded));
    assert_eq!(
        apply(&part, &refund("re_2", 500, RefundStatus::Succeeded)),
        mismatch(Mismatch::Amount)
    );
    assert_eq!(
        apply(&part, &refund("re_1", 1400, RefundStatus::Failed)),
        mismatch(Mismatch::Amount)
    );
    assert_eq!(
        apply(&open, &chargeback("dp_1", -1, ChargebackState::Open)),
        mismatch(Mismatch::Amount)
    );
}

#[test]
fn an_order_has_one_intent_however_it_learns_of_it() {
    let intent = PaymentIntentId::parse("pi_1").unwrap();
    let context = || ActorContext::user(&client(), minute(1));
    let bound = placed().attach_intent(intent.clone(), context()).unwrap().unwrap();
    assert_eq!(bound.payment_intent, Some(intent.clone()));
    assert_eq!(bound.attach_intent(intent.clone(), context()), Ok(None));
    // The webhook arrives before the response to the call.
    let charged = placed().with_fact(&succeeded());
    assert_eq!(charged.attach_intent(intent.clone(), context()), Ok(None));
    // The order is canceled between the call and its response.
    let canceled = placed().then(Transition::Cancel, &client());
    assert_eq!(canceled.stripe_action(), None);
    let bound_late = canceled.attach_intent(intent.clone(), context()).unwrap().unwrap();
    assert_eq!(
        bound_late.stripe_action(),
        Some(StripeAction::CancelIntent { intent: intent.clone() })
    );
    let by_stranger = ActorContext::user(&other_worker(), minute(1));
    assert_eq!(placed().attach_intent(intent, by_stranger), Err(TransitionError::Forbidden));
}

#[test]
fn only_the_client_can_pay_and_only_while_pending_or_with_an_intent() {
    assert_eq!(placed().check_payable(&client()), Ok(()));
    assert_eq!(
        order_in(Status::Open).check_payable(&client()),
        Ok(()),
        "the client gets the existing intent"
    );
    let canceled = order_in(Status::Canceled);
    let (status, version) = (canceled.status, canceled.version);
    assert_eq!(
        canceled.check_payable(&client()),
        Err(TransitionError::NotPayable { status, version })
    );
    assert_eq!(placed().check_payable(&admin()), Err(TransitionError::Forbidden));
    assert_eq!(placed().check_payable(&worker()), Err(TransitionError::NotFound));
}

#[test]
fn a_declined_card_leaves_the_order_payable_and_its_timer_running() {
    let order = placed();
    let failed = order.with_fact(&fact(PaymentFactKind::Failed));
    assert_eq!((failed.status, failed.payment_status), (Status::Pending, PaymentStatus::Failed));
    assert_eq!(failed.deadline, order.deadline);
    assert_eq!(failed.with_fact(&succeeded()).status, Status::Open);
}

#[test]
fn the_timer_stops_while_stripe_waits_for_the_bank() {
    let processing = placed().with_fact(&fact(PaymentFactKind::Processing));
    assert_eq!(processing.deadline, None);
    assert_eq!(processing.due(minute(10_000)), None);
    let failed = processing
        .apply_payment_fact(&fact(PaymentFactKind::Failed), minute(500), &timers())
        .unwrap()
        .unwrap();
    assert_eq!(failed.deadline, Some(minute(500) + SignedDuration::from_mins(30)));
}

#[test]
fn endless_payment_attempts_do_not_grow_the_history_endlessly() {
    let mut order = placed();
    for _ in 0..200 {
        order = order
            .with_fact(&fact(PaymentFactKind::RequiresAction))
            .with_fact(&fact(PaymentFactKind::Failed));
    }
    assert_eq!(order.history.len(), 1 + apply_payment::MAX_RECORDED_ATTEMPTS);
    assert_eq!(order.with_fact(&succeeded()).status, Status::Open);
    assert_eq!(order.with_fact(&fact(PaymentFactKind::Canceled)).status, Status::Canceled);
}

#[test]
fn a_fee_is_entered_once_and_does_not_reduce_the_balance() {
    let late = placed().with_fact(&succeeded()).with_fact(&with_fee(88));
    assert_eq!(late.last_event().kind, EventKind::Payment(PaymentEvent::FeeKnown));
    let at_once = placed().with_fact(&with_fee(88));
    for order in [late, at_once] {
        assert_eq!((order.ledger.fees(Currency::USD), order.ledger.balance()), (88, PRICE));
        assert_eq!(order.apply_payment_fact(&with_fee(90), minute(1), &timers()), Ok(None));
        assert!(order.is_claimable());
    }
}
