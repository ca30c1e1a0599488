//! The numbered history, and what a repeated request is answered from.

use super::fixture::*;
use crate::domain::order::*;

#[test]
fn an_order_can_be_read_as_it_was_at_any_version() {
    // Every version of a long life, kept as it passed.
    let mut order = placed();
    let mut versions = vec![order.clone()];
    let mut passed = |next: Order| {
        versions.push(next.clone());
        next
    };
    order = passed(order.told(&fact(PaymentFactKind::Processing)));
    order = passed(order.told(&succeeded()));
    order = passed(order.then(Transition::Accept, &worker()));
    order = passed(order.then(Transition::Release, &worker()));
    order = passed(order.then(Transition::Accept, &other_worker()));
    order = passed(order.then(Transition::Deliver, &other_worker()));
    order = passed(order.then(Transition::RequestRevision, &client()));
    order = passed(order.then(Transition::Dispute, &client()));
    order = passed(order.then(Transition::ResolveRefund, &admin()));
    order = passed(order.told(&refund("re_1", PRICE, RefundStatus::Succeeded)));
    for then in versions {
        let mut read = order.at(then.version).unwrap();
        for caller in [client(), worker(), other_worker(), admin()] {
            assert_eq!(read.actions(&caller), then.actions(&caller), "version {}", then.version);
        }
        // Not part of any answer, and not kept per version.
        (read.payment_intent, read.refunds) = (then.payment_intent.clone(), then.refunds.clone());
        assert_eq!(read, then);
    }
    assert_eq!(order.at(0), None);
    assert_eq!(order.at(order.version + 1), None);
}

#[test]
fn a_repeated_request_is_answered_from_the_version_it_made() {
    let key = |body: &[u8]| Idempotency::new(&worker().id, "orders-accept", "key-1", &[body]);
    let open = order_in(Status::Open);
    assert_eq!(open.replay(&key(b"{}")), Ok(None));
    let by = ActorContext::user(&worker(), minute(5)).idempotency(Some(key(b"{}")));
    let accepted = open.transition(Transition::Accept, by, &timers()).unwrap();
    let moved_on = accepted.then(Transition::Deliver, &worker());
    assert_eq!(moved_on.replay(&key(b"{}")), Ok(Some(accepted)));
    assert_eq!(moved_on.replay(&key(b"{\"note\":\"\"}")), Err(TransitionError::KeyReused));
}

#[test]
fn who_calls_an_order_off_is_noted_even_when_stripe_was_faster_to_say_so() {
    let by_stripe = placed().told(&fact(PaymentFactKind::Canceled));
    assert_eq!(by_stripe.status, Status::Canceled);
    let key = Idempotency::new(&client().id, "orders-cancel", "key-1", &[b"{}"]);
    let by = ActorContext::user(&client(), minute(5)).idempotency(Some(key.clone()));
    let noted = by_stripe.intent_canceled_by(by).unwrap();
    assert_eq!((noted.status, noted.version), (Status::Canceled, by_stripe.version + 1));
    assert_eq!(noted.last().actor.id, Some(client().id));
    assert_eq!(noted.replay(&key), Ok(Some(noted.clone())));
    assert_eq!(
        by_stripe.intent_canceled_by(ActorContext::timer(minute(5))),
        Err(TransitionError::Forbidden)
    );
}

#[test]
fn an_order_knows_the_versions_that_it_went_through_and_no_others() {
    let open = order_in(Status::Open);
    let accepted = open.then(Transition::Accept, &worker());
    let delivered = accepted.then(Transition::Deliver, &worker());
    assert!(delivered.was(&accepted) && delivered.was(&open) && accepted.was(&accepted));
    assert!(!open.was(&accepted), "not yet");
    assert!(!delivered.was(&open.then(Transition::Accept, &other_worker())), "someone else's");
    assert!(!delivered.was(&open.then(Transition::Cancel, &client())));
}

#[test]
fn a_key_belongs_to_its_caller_and_its_operation() {
    let one = Idempotency::new(&worker().id, "orders-accept", "k", &[b"{}"]);
    assert_ne!(one.key, Idempotency::new(&client().id, "orders-accept", "k", &[b"{}"]).key);
    assert_ne!(one.key, Idempotency::new(&worker().id, "orders-deliver", "k", &[b"{}"]).key);
    assert_eq!(one, Idempotency::new(&worker().id, "orders-accept", "k", &[b"{}"]));
}

#[test]
fn history_says_who_under_which_name_and_does_not_go_back_in_time() {
    let order = order_in(Status::Open);
    let by = ActorContext::user(&worker(), minute(-60));
    let accepted = order.transition(Transition::Accept, by, &timers()).unwrap();
    let event = accepted.last();
    assert_eq!(event.at, order.updated_at);
    let slow_clock = ActorContext::user(&worker(), minute(-60));
    let delivered = accepted.transition(Transition::Deliver, slow_clock, &timers()).unwrap();
    assert_eq!(delivered.deadline, order_in(Status::Delivered).deadline, "nor do deadlines");
    assert_eq!(event.actor.kind, ActorKind::Worker);
    assert_eq!(event.actor.id, Some(worker().id));
    assert_eq!(event.actor.username, Some(worker().username));
    let stripe = &order.last().actor;
    assert_eq!((stripe.kind, &stripe.id), (ActorKind::Stripe, &None));
}

#[test]
fn an_order_survives_being_stored() {
    for status in Status::ALL {
        let order = order_in(status).told(&chargeback("dp_1", PRICE, ChargebackState::Inquiry));
        let item: serde_dynamo::Item = serde_dynamo::to_item(&order).unwrap();
        assert_eq!(serde_dynamo::from_item::<_, Order>(item).unwrap(), order, "{status}");
        let json = serde_json::to_string(&order).unwrap();
        assert_eq!(serde_json::from_str::<Order>(&json).unwrap(), order, "{status}");
    }
}
