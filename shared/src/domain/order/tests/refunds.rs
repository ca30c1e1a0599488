//! Refunds and chargebacks.

use super::fixture::*;
use super::payments::assert_sequence_does_not_matter;
use crate::domain::order::*;

#[test]
fn a_canceled_order_is_refund_pending_until_stripe_confirms_the_refund() {
    let canceled = order_in(Status::Open).then(Transition::Cancel, &client());
    assert_eq!(canceled.payment_status, PaymentStatus::RefundPending);
    let started = canceled.with_fact(&refund("re_1", PRICE, RefundStatus::Pending));
    assert_eq!(started.payment_status, PaymentStatus::RefundPending);
    assert_eq!(started.stripe_action(), None, "a refund is in progress");
    let done = started.with_fact(&refund("re_1", PRICE, RefundStatus::Succeeded));
    assert_eq!(done.payment_status, PaymentStatus::Refunded);
    assert_eq!(done.ledger.balance(), 0);
}

#[test]
fn a_failed_refund_is_retried_with_a_new_key_and_finally_left_to_an_administrator() {
    let mut order = order_in(Status::Open).then(Transition::Cancel, &client());
    let mut keys = Vec::new();
    for n in 0..settlement::MAX_REFUND_ATTEMPTS {
        let Some(StripeAction::Refund { idempotency_key, .. }) = order.stripe_action() else {
            panic!("attempt {n}")
        };
        assert!(order.attention().is_empty());
        keys.push(idempotency_key);
        // The first refund fails at once, the others after Stripe has reported their success.
        let id = format!("re_{n}");
        if n > 0 {
            order = order.with_fact(&refund(&id, PRICE, RefundStatus::Succeeded));
            assert_eq!(order.payment_status, PaymentStatus::Refunded);
        }
        order = order.with_fact(&refund(&id, PRICE, RefundStatus::Failed));
        assert_eq!(
            (order.payment_status, order.ledger.balance()),
            (PaymentStatus::RefundPending, PRICE)
        );
    }
    keys.dedup();
    assert_eq!(keys.len(), settlement::MAX_REFUND_ATTEMPTS);
    assert_eq!(order.stripe_action(), None);
    assert_eq!(order.attention(), [Attention::RefundFailed]);
    let refunded_by_hand = order.with_fact(&refund("re_hand", PRICE, RefundStatus::Succeeded));
    assert!(refunded_by_hand.attention().is_empty());
}

#[test]
fn a_refused_refund_counts_as_a_failed_one() {
    let mut order = order_in(Status::Open).then(Transition::Cancel, &client());
    let mut keys = Vec::new();
    while let Some(StripeAction::Refund { idempotency_key, .. }) = order.stripe_action() {
        keys.push(idempotency_key);
        order = order.record_refund_refusal(minute(1));
        assert!(order.last_refund_was_refused() && order.has_unsettled_money());
        assert_eq!(
            (order.payment_status, order.ledger.balance()),
            (PaymentStatus::RefundPending, PRICE)
        );
    }
    let attempts = keys.len();
    keys.dedup();
    assert_eq!((attempts, keys.len()), (settlement::MAX_REFUND_ATTEMPTS, attempts));
    assert_eq!(order.attention(), [Attention::RefundFailed]);
    let refunded_by_hand = order.with_fact(&refund("re_hand", PRICE, RefundStatus::Succeeded));
    assert!(refunded_by_hand.attention().is_empty() && !refunded_by_hand.has_unsettled_money());
}

#[test]
fn after_a_partial_refund_the_rest_is_still_refundable() {
    let part = order_in(Status::Open).with_fact(&refund("re_1", 500, RefundStatus::Succeeded));
    assert_eq!(part.payment_status, PaymentStatus::Paid);
    assert!(!part.is_claimable(), "it does not hold its full price");
    assert_eq!(part.attention(), [Attention::Unfunded]);
    let canceled = part.then(Transition::Cancel, &client());
    let Some(StripeAction::Refund { amount, .. }) = canceled.stripe_action() else { panic!() };
    assert_eq!(amount, usd(PRICE - 500));
    let all = canceled.with_fact(&refund("re_2", PRICE - 500, RefundStatus::Succeeded));
    assert_eq!((all.payment_status, all.ledger.balance()), (PaymentStatus::Refunded, 0));
}

#[test]
fn a_refund_made_at_stripe_stops_claims_and_alerts_an_administrator() {
    let order = order_in(Status::Open).with_fact(&refund("re_1", PRICE, RefundStatus::Succeeded));
    assert_eq!((order.status, order.payment_status), (Status::Open, PaymentStatus::Refunded));
    assert_eq!(order.attention(), [Attention::Unfunded]);
    let refused =
        order.transition(Transition::Accept, ActorContext::user(&worker(), minute(1)), &timers());
    assert!(matches!(refused, Err(TransitionError::Guard { guard: Guard::Funded, .. })));
    let canceled = order.then(Transition::Cancel, &client());
    assert_eq!(
        (canceled.payment_status, canceled.stripe_action()),
        (PaymentStatus::Refunded, None)
    );
}

#[test]
fn a_chargeback_is_flagged_and_its_money_is_not_refunded_twice() {
    let opened =
        order_in(Status::Open).with_fact(&chargeback("dp_1", PRICE, ChargebackState::Open));
    assert_eq!((opened.status, opened.payment_status), (Status::Open, PaymentStatus::Paid));
    assert_eq!(opened.attention(), [Attention::ChargebackOpen, Attention::Unfunded]);
    assert!(!opened.is_claimable());

    let canceled = opened.then(Transition::Cancel, &client());
    assert_eq!(
        (canceled.payment_status, canceled.stripe_action()),
        (PaymentStatus::RefundPending, None)
    );
    let lost = canceled.with_fact(&chargeback("dp_1", PRICE, ChargebackState::Lost));
    assert_eq!((lost.payment_status, lost.stripe_action()), (PaymentStatus::Refunded, None));
    assert!(lost.attention().is_empty());
    let won = canceled.with_fact(&chargeback("dp_1", PRICE, ChargebackState::Won));
    assert_eq!(won.payment_status, PaymentStatus::RefundPending);
    assert!(matches!(won.stripe_action(), Some(StripeAction::Refund { .. })));
}

#[test]
fn the_events_of_one_chargeback_lead_to_the_same_state_in_any_sequence() {
    use ChargebackState::{Inquiry, Lost, Open, Won};
    for end in [Won, Lost] {
        let facts = [
            succeeded(),
            chargeback("dp_1", 700, Inquiry),
            chargeback("dp_1", 700, Open),
            chargeback("dp_1", 700, end),
        ];
        let order = assert_sequence_does_not_matter(&placed(), &facts);
        assert_eq!(order.ledger.balance(), if end == Won { PRICE } else { PRICE - 700 });
    }
    let inquired = order_in(Status::Assigned).with_fact(&chargeback("dp_1", PRICE, Inquiry));
    assert_eq!(inquired.ledger.balance(), PRICE, "an inquiry moves no money");
    assert_eq!(inquired.attention(), [Attention::ChargebackOpen]);
}

#[test]
fn an_order_that_needs_a_step_at_stripe_or_missed_its_deadline_is_stuck_after_an_hour() {
    let hour = |n: i64| jiff::SignedDuration::from_hours(n);
    let canceled = order_in(Status::Open).then(Transition::Cancel, &client());
    assert!(canceled.stripe_action().is_some());
    assert!(!canceled.is_stuck(canceled.updated_at + hour(1)));
    assert!(canceled.is_stuck(canceled.updated_at + hour(2)));
    let refunding = canceled.with_fact(&refund("re_1", PRICE, RefundStatus::Pending));
    assert!(!refunding.is_stuck(refunding.updated_at + hour(200)), "the bank takes its time");
    let delivered = order_in(Status::Delivered);
    let deadline = delivered.deadline.unwrap();
    assert!(!delivered.is_stuck(deadline) && delivered.is_stuck(deadline + hour(2)));
    let assigned = order_in(Status::Assigned);
    assert!(!assigned.is_stuck(assigned.updated_at + hour(10_000)), "nothing is due");
}
