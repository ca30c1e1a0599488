//! What Stripe says, in any order and any number of times.

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

/// Everything that the order of facts must not change: all but the history and what it numbers.
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
        order.money_step(),
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

/// All orders of the facts end alike, and so do all orders with each fact said three times.
fn assert_order_does_not_matter(order: &Order, facts: &[PaymentFact]) -> Order {
    let expected = facts.iter().fold(order.clone(), |order, fact| order.told(fact));
    for sequence in permutations(facts) {
        for repeat in [1, 3] {
            let said = sequence.iter().flat_map(|fact| std::iter::repeat_n(fact, repeat));
            let once = said.clone().fold(order.clone(), |order, fact| order.told(fact));
            assert_eq!(outcome(&once), outcome(&expected), "{sequence:?}");
            // The whole sequence again: nothing is news.
            let again = said.fold(once.clone(), |order, fact| order.told(fact));
            assert_eq!(outcome(&again), outcome(&expected), "{sequence:?}");
        }
    }
    expected
}

#[test]
fn the_events_of_one_payment_end_alike_in_every_order() {
    let attempts = [
        fact(PaymentFactKind::RequiresAction),
        fact(PaymentFactKind::Failed),
        fact(PaymentFactKind::Processing),
    ];
    let paid = assert_order_does_not_matter(
        &placed(),
        &[&attempts[..], &[succeeded(), with_fee(88)]].concat(),
    );
    assert_eq!((paid.status, paid.payment_status), (Status::Open, PaymentStatus::Paid));
    assert_eq!((paid.ledger.balance(), paid.ledger.fees(Currency::USD)), (PRICE, 88));

    let canceled = assert_order_does_not_matter(
        &placed(),
        &[&attempts[..], &[fact(PaymentFactKind::Canceled)]].concat(),
    );
    assert_eq!(
        (canceled.status, canceled.payment_status),
        (Status::Canceled, PaymentStatus::Unpaid)
    );
    assert_eq!(canceled.money_step(), None);
}

#[test]
fn a_payment_that_succeeds_after_the_order_was_called_off_goes_back() {
    for called_off in [
        placed().then(Transition::Cancel, &client()),
        placed()
            .transition(Transition::Expire, ActorContext::timer(minute(30)), &timers())
            .unwrap(),
    ] {
        let paid = called_off.told(&succeeded());
        assert_eq!(
            (paid.status, paid.payment_status),
            (Status::Canceled, PaymentStatus::RefundPending)
        );
        assert_eq!(paid.last().kind, EventKind::Payment(PaymentStep::PaidLate));
        let Some(MoneyStep::Refund { amount, .. }) = paid.money_step() else {
            panic!("{:?}", paid.money_step())
        };
        assert_eq!(amount, usd(PRICE));

        let facts = [
            fact(PaymentFactKind::Processing),
            succeeded(),
            refund("re_1", PRICE, RefundStatus::Pending),
            refund("re_1", PRICE, RefundStatus::Succeeded),
        ];
        let back = assert_order_does_not_matter(&called_off, &facts);
        assert_eq!(back.payment_status, PaymentStatus::Refunded);
        assert_eq!(back.ledger.balance(), 0);
        assert_eq!(back.money_step(), None);
    }
}

#[test]
fn a_canceled_order_says_refund_pending_until_stripe_says_refunded() {
    let canceled = order_in(Status::Open).then(Transition::Cancel, &client());
    assert_eq!(canceled.payment_status, PaymentStatus::RefundPending);
    let started = canceled.told(&refund("re_1", PRICE, RefundStatus::Pending));
    assert_eq!(started.payment_status, PaymentStatus::RefundPending);
    assert_eq!(started.money_step(), None, "it is under way");
    let done = started.told(&refund("re_1", PRICE, RefundStatus::Succeeded));
    assert_eq!(done.payment_status, PaymentStatus::Refunded);
    assert_eq!(done.ledger.balance(), 0);
}

#[test]
fn a_refund_that_fails_is_tried_again_under_another_key_and_then_is_an_admins() {
    let mut order = order_in(Status::Open).then(Transition::Cancel, &client());
    let mut keys = Vec::new();
    for n in 0..payment::MAX_REFUND_ATTEMPTS {
        let Some(MoneyStep::Refund { idempotency_key, .. }) = order.money_step() else {
            panic!("attempt {n}")
        };
        assert!(order.attention().is_empty());
        keys.push(idempotency_key);
        // One fails at once, the others after Stripe had said that they succeeded.
        let id = format!("re_{n}");
        if n > 0 {
            order = order.told(&refund(&id, PRICE, RefundStatus::Succeeded));
            assert_eq!(order.payment_status, PaymentStatus::Refunded);
        }
        order = order.told(&refund(&id, PRICE, RefundStatus::Failed));
        assert_eq!(
            (order.payment_status, order.ledger.balance()),
            (PaymentStatus::RefundPending, PRICE)
        );
    }
    keys.dedup();
    assert_eq!(keys.len(), payment::MAX_REFUND_ATTEMPTS);
    assert_eq!(order.money_step(), None);
    assert_eq!(order.attention(), [Attention::RefundFailed]);
    let by_hand = order.told(&refund("re_hand", PRICE, RefundStatus::Succeeded));
    assert!(by_hand.attention().is_empty());
}

#[test]
fn a_refund_that_stripe_will_not_make_counts_as_one_that_failed() {
    let mut order = order_in(Status::Open).then(Transition::Cancel, &client());
    let mut keys = Vec::new();
    while let Some(MoneyStep::Refund { idempotency_key, .. }) = order.money_step() {
        keys.push(idempotency_key);
        order = order.refund_refused(minute(1));
        assert!(order.was_just_refused() && order.has_money_under_way());
        assert_eq!(
            (order.payment_status, order.ledger.balance()),
            (PaymentStatus::RefundPending, PRICE)
        );
    }
    let made = keys.len();
    keys.dedup();
    assert_eq!((made, keys.len()), (payment::MAX_REFUND_ATTEMPTS, made));
    assert_eq!(order.attention(), [Attention::RefundFailed]);
    let by_hand = order.told(&refund("re_hand", PRICE, RefundStatus::Succeeded));
    assert!(by_hand.attention().is_empty() && !by_hand.has_money_under_way());
}

#[test]
fn an_order_with_an_intent_is_looked_after_until_its_money_is_at_rest() {
    assert!(!placed().has_money_under_way(), "there is nothing to ask Stripe about");
    let intent = PaymentIntentId::parse("pi_1").unwrap();
    let bound =
        placed().bind_intent(intent, ActorContext::user(&client(), minute(0))).unwrap().unwrap();
    for pending in [
        &bound,
        &bound.told(&fact(PaymentFactKind::Processing)),
        &bound.told(&fact(PaymentFactKind::Failed)),
    ] {
        assert!(pending.has_money_under_way(), "{}", pending.payment_status);
    }
    assert!(!bound.told(&succeeded()).has_money_under_way());
    assert!(!bound.told(&fact(PaymentFactKind::Canceled)).has_money_under_way());
    let called_off = bound.then(Transition::Cancel, &client());
    assert!(
        called_off.has_money_under_way()
            && !called_off.told(&fact(PaymentFactKind::Canceled)).has_money_under_way()
    );
}

#[test]
fn a_refund_of_a_part_leaves_the_rest_to_be_refunded() {
    let part = order_in(Status::Open).told(&refund("re_1", 500, RefundStatus::Succeeded));
    assert_eq!(part.payment_status, PaymentStatus::Paid);
    assert!(!part.is_claimable(), "a worker claims what is paid in full");
    assert_eq!(part.attention(), [Attention::Unfunded]);
    let canceled = part.then(Transition::Cancel, &client());
    let Some(MoneyStep::Refund { amount, .. }) = canceled.money_step() else { panic!() };
    assert_eq!(amount, usd(PRICE - 500));
    let all = canceled.told(&refund("re_2", PRICE - 500, RefundStatus::Succeeded));
    assert_eq!((all.payment_status, all.ledger.balance()), (PaymentStatus::Refunded, 0));
}

#[test]
fn money_refunded_behind_the_orders_back_stops_claims_and_calls_an_admin() {
    let order = order_in(Status::Open).told(&refund("re_1", PRICE, RefundStatus::Succeeded));
    assert_eq!((order.status, order.payment_status), (Status::Open, PaymentStatus::Refunded));
    assert_eq!(order.attention(), [Attention::Unfunded]);
    let refused =
        order.transition(Transition::Accept, ActorContext::user(&worker(), minute(1)), &timers());
    assert!(matches!(refused, Err(TransitionError::Guard { guard: Guard::Funded, .. })));
    let canceled = order.then(Transition::Cancel, &client());
    assert_eq!((canceled.payment_status, canceled.money_step()), (PaymentStatus::Refunded, None));
}

#[test]
fn a_chargeback_is_flagged_and_its_money_is_not_given_back_twice() {
    let opened = order_in(Status::Open).told(&chargeback("dp_1", PRICE, ChargebackState::Open));
    assert_eq!((opened.status, opened.payment_status), (Status::Open, PaymentStatus::Paid));
    assert_eq!(opened.attention(), [Attention::ChargebackOpen, Attention::Unfunded]);
    assert!(!opened.is_claimable());

    let canceled = opened.then(Transition::Cancel, &client());
    assert_eq!(
        (canceled.payment_status, canceled.money_step()),
        (PaymentStatus::RefundPending, None)
    );
    let lost = canceled.told(&chargeback("dp_1", PRICE, ChargebackState::Lost));
    assert_eq!((lost.payment_status, lost.money_step()), (PaymentStatus::Refunded, None));
    assert!(lost.attention().is_empty());
    let won = canceled.told(&chargeback("dp_1", PRICE, ChargebackState::Won));
    assert_eq!(won.payment_status, PaymentStatus::RefundPending);
    assert!(matches!(won.money_step(), Some(MoneyStep::Refund { .. })));
}

#[test]
fn the_news_of_a_chargeback_end_alike_in_every_order() {
    use ChargebackState::{Inquiry, Lost, Open, Won};
    for end in [Won, Lost] {
        let facts = [
            succeeded(),
            chargeback("dp_1", 700, Inquiry),
            chargeback("dp_1", 700, Open),
            chargeback("dp_1", 700, end),
        ];
        let order = assert_order_does_not_matter(&placed(), &facts);
        assert_eq!(order.ledger.balance(), if end == Won { PRICE } else { PRICE - 700 });
    }
    let asked = order_in(Status::Assigned).told(&chargeback("dp_1", PRICE, Inquiry));
    assert_eq!(asked.ledger.balance(), PRICE, "an inquiry takes nothing");
    assert_eq!(asked.attention(), [Attention::ChargebackOpen]);
}

#[test]
fn what_does_not_belong_to_the_order_is_refused_and_changes_nothing() {
    let eur = |amount| Money::new(amount, Currency::parse("eur").unwrap());
    let charged = |charge: &str, amount| PaymentFactKind::Succeeded {
        charge: ChargeId::parse(charge).unwrap(),
        amount,
        fee: None,
    };
    let told = |order: &Order, fact: &PaymentFact| {
        order.payment_fact(fact, minute(1), &timers()).map(|next| next.is_some())
    };
    let mismatch = |kind| Err(TransitionError::Mismatch(kind));

    let pending = placed().told(&fact(PaymentFactKind::Failed));
    assert_eq!(told(&pending, &fact(charged("ch_1", usd(PRICE - 1)))), mismatch(Mismatch::Amount));
    assert_eq!(told(&pending, &fact(charged("ch_1", usd(PRICE + 1)))), mismatch(Mismatch::Amount));
    assert_eq!(told(&pending, &fact(charged("ch_1", eur(PRICE)))), mismatch(Mismatch::Currency));
    let intent = PaymentIntentId::parse("pi_2").unwrap();
    for kind in [charged("ch_1", usd(PRICE)), PaymentFactKind::Canceled, PaymentFactKind::Failed] {
        assert_eq!(
            told(&pending, &PaymentFact { intent: intent.clone(), kind }),
            mismatch(Mismatch::Intent)
        );
    }
    assert_eq!(
        pending.bind_intent(intent, ActorContext::user(&client(), minute(1))),
        Err(TransitionError::Mismatch(Mismatch::Intent))
    );

    let open = order_in(Status::Open);
    assert_eq!(told(&open, &fact(charged("ch_2", usd(PRICE)))), mismatch(Mismatch::Charge));
    assert_eq!(
        told(&open, &refund("re_1", PRICE + 1, RefundStatus::Succeeded)),
        mismatch(Mismatch::Amount)
    );
    assert_eq!(told(&open, &refund("re_1", 0, RefundStatus::Pending)), mismatch(Mismatch::Amount));
    let part = open.told(&refund("re_1", 1500, RefundStatus::Succeeded));
    assert_eq!(
        told(&part, &refund("re_2", 500, RefundStatus::Succeeded)),
        mismatch(Mismatch::Amount)
    );
    assert_eq!(
        told(&part, &refund("re_1", 1400, RefundStatus::Failed)),
        mismatch(Mismatch::Amount)
    );
    assert_eq!(
        told(&open, &chargeback("dp_1", -1, ChargebackState::Open)),
        mismatch(Mismatch::Amount)
    );
}

#[test]
fn an_order_has_one_intent_whichever_way_it_learns_of_it() {
    let intent = PaymentIntentId::parse("pi_1").unwrap();
    let by = || ActorContext::user(&client(), minute(1));
    let bound = placed().bind_intent(intent.clone(), by()).unwrap().unwrap();
    assert_eq!(bound.payment_intent, Some(intent.clone()));
    assert_eq!(bound.bind_intent(intent.clone(), by()), Ok(None));
    // The webhook before the answer to the call.
    let told = placed().told(&succeeded());
    assert_eq!(told.bind_intent(intent.clone(), by()), Ok(None));
    // Called off between the call and its answer.
    let canceled = placed().then(Transition::Cancel, &client());
    assert_eq!(canceled.money_step(), None);
    let bound_late = canceled.bind_intent(intent.clone(), by()).unwrap().unwrap();
    assert_eq!(bound_late.money_step(), Some(MoneyStep::CancelIntent { intent: intent.clone() }));
    let by_stranger = ActorContext::user(&other_worker(), minute(1));
    assert_eq!(placed().bind_intent(intent, by_stranger), Err(TransitionError::Forbidden));
}

#[test]
fn only_its_client_may_pay_and_only_while_it_waits_or_has_its_intent() {
    assert_eq!(placed().check_payable(&client()), Ok(()));
    assert_eq!(order_in(Status::Open).check_payable(&client()), Ok(()), "the same intent for ever");
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
fn a_declined_card_leaves_the_order_payable_and_does_not_stop_the_clock() {
    let order = placed();
    let failed = order.told(&fact(PaymentFactKind::Failed));
    assert_eq!((failed.status, failed.payment_status), (Status::Pending, PaymentStatus::Failed));
    assert_eq!(failed.deadline, order.deadline);
    assert_eq!(failed.told(&succeeded()).status, Status::Open);
}

#[test]
fn the_clock_stands_still_while_stripe_waits_for_the_bank() {
    let processing = placed().told(&fact(PaymentFactKind::Processing));
    assert_eq!(processing.deadline, None);
    assert_eq!(processing.due(minute(10_000)), None);
    let failed = processing
        .payment_fact(&fact(PaymentFactKind::Failed), minute(500), &timers())
        .unwrap()
        .unwrap();
    assert_eq!(failed.deadline, Some(minute(500) + SignedDuration::from_mins(30)));
}

#[test]
fn attempts_without_end_do_not_grow_the_history_without_end() {
    let mut order = placed();
    for _ in 0..200 {
        order =
            order.told(&fact(PaymentFactKind::RequiresAction)).told(&fact(PaymentFactKind::Failed));
    }
    assert_eq!(order.history.len(), 1 + payment::MAX_NOTED_ATTEMPTS);
    assert_eq!(order.told(&succeeded()).status, Status::Open);
    assert_eq!(order.told(&fact(PaymentFactKind::Canceled)).status, Status::Canceled);
}

#[test]
fn a_fee_is_entered_once_and_is_not_the_clients_money() {
    let late = placed().told(&succeeded()).told(&with_fee(88));
    assert_eq!(late.last().kind, EventKind::Payment(PaymentStep::FeeKnown));
    let at_once = placed().told(&with_fee(88));
    for order in [late, at_once] {
        assert_eq!((order.ledger.fees(Currency::USD), order.ledger.balance()), (88, PRICE));
        assert_eq!(order.payment_fact(&with_fee(90), minute(1), &timers()), Ok(None));
        assert!(order.is_claimable());
    }
}
