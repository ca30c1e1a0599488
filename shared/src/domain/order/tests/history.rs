//! The numbered history, and the response to a repeated request.

use super::fixture::*;
use crate::domain::order::*;

#[test]
fn an_order_can_be_read_as_it_was_at_any_version() {
    // Keep every version of an order with a long history.
    let mut order = placed();
    let mut versions = vec![order.clone()];
    let mut keep = |next: Order| {
        versions.push(next.clone());
        next
    };
    order = keep(order.with_fact(&fact(PaymentFactKind::Processing)));
    order = keep(order.with_fact(&succeeded()));
    order = keep(order.then(Transition::Accept, &worker()));
    order = keep(order.then(Transition::Release, &worker()));
    order = keep(order.then(Transition::Accept, &other_worker()));
    order = keep(order.then(Transition::Deliver, &other_worker()));
    order = keep(order.then(Transition::RequestRevision, &client()));
    order = keep(order.then(Transition::Dispute, &client()));
    order = keep(order.then(Transition::ResolveRefund, &admin()));
    order = keep(order.with_fact(&refund("re_1", PRICE, RefundStatus::Succeeded)));
    for earlier in versions {
        let mut read = order.at(earlier.version).unwrap();
        for caller in [client(), worker(), other_worker(), admin()] {
            assert_eq!(
                read.actions(&caller),
                earlier.actions(&caller),
                "version {}",
                earlier.version
            );
        }
        // No response shows these, and they are not kept per version.
        (read.payment_intent, read.refunds) =
            (earlier.payment_intent.clone(), earlier.refunds.clone());
        assert_eq!(read, earlier);
    }
    assert_eq!(order.at(0), None);
    assert_eq!(order.at(order.version + 1), None);
}

#[test]
fn a_repeated_request_gets_the_version_that_it_created() {
    let key = |body: &[u8]| Idempotency::new(&worker().id, "orders-accept", "key-1", &[body]);
    let open = order_in(Status::Open);
    assert_eq!(open.replay(&key(b"{}")), Ok(None));
    let context = ActorContext::user(&worker(), minute(5)).idempotency(Some(key(b"{}")));
    let accepted = open.transition(Transition::Accept, context, &timers()).unwrap();
    let moved_on = accepted.then(Transition::Deliver, &worker());
    assert_eq!(moved_on.replay(&key(b"{}")), Ok(Some(accepted)));
    assert_eq!(moved_on.replay(&key(b"{\"note\":\"\"}")), Err(TransitionError::KeyReused));
}

#[test]
fn the_user_who_canceled_is_recorded_even_if_stripe_reported_the_cancellation_first() {
    let canceled_by_stripe = placed().with_fact(&fact(PaymentFactKind::Canceled));
    assert_eq!(canceled_by_stripe.status, Status::Canceled);
    let key = Idempotency::new(&client().id, "orders-cancel", "key-1", &[b"{}"]);
    let context = ActorContext::user(&client(), minute(5)).idempotency(Some(key.clone()));
    let recorded = canceled_by_stripe.record_cancellation_by(context).unwrap();
    assert_eq!(
        (recorded.status, recorded.version),
        (Status::Canceled, canceled_by_stripe.version + 1)
    );
    assert_eq!(recorded.last_event().actor.id, Some(client().id));
    assert_eq!(recorded.replay(&key), Ok(Some(recorded.clone())));
    assert_eq!(
        canceled_by_stripe.record_cancellation_by(ActorContext::timer(minute(5))),
        Err(TransitionError::Forbidden)
    );
}

#[test]
fn an_order_descends_from_exactly_the_versions_it_went_through() {
    let open = order_in(Status::Open);
    let accepted = open.then(Transition::Accept, &worker());
    let delivered = accepted.then(Transition::Deliver, &worker());
    assert!(
        delivered.descends_from(&accepted)
            && delivered.descends_from(&open)
            && accepted.descends_from(&accepted)
    );
    assert!(!open.descends_from(&accepted), "a later version");
    assert!(
        !delivered.descends_from(&open.then(Transition::Accept, &other_worker())),
        "another worker claimed it"
    );
    assert!(!delivered.descends_from(&open.then(Transition::Cancel, &client())));
}

#[test]
fn an_idempotency_key_belongs_to_one_caller_and_one_operation() {
    let one = Idempotency::new(&worker().id, "orders-accept", "k", &[b"{}"]);
    assert_ne!(one.key, Idempotency::new(&client().id, "orders-accept", "k", &[b"{}"]).key);
    assert_ne!(one.key, Idempotency::new(&worker().id, "orders-deliver", "k", &[b"{}"]).key);
    assert_eq!(one, Idempotency::new(&worker().id, "orders-accept", "k", &[b"{}"]));
}

#[test]
fn history_records_the_actor_and_never_goes_back_in_time() {
    let order = order_in(Status::Open);
    let context = ActorContext::user(&worker(), minute(-60));
    let accepted = order.transition(Transition::Accept, context, &timers()).unwrap();
    let event = accepted.last_event();
    assert_eq!(event.at, order.updated_at);
    let late_clock = ActorContext::user(&worker(), minute(-60));
    let delivered = accepted.transition(Transition::Deliver, late_clock, &timers()).unwrap();
    assert_eq!(
        delivered.deadline,
        order_in(Status::Delivered).deadline,
        "deadlines are not shortened either"
    );
    assert_eq!(event.actor.kind, ActorKind::Worker);
    assert_eq!(event.actor.id, Some(worker().id));
    assert_eq!(event.actor.username, Some(worker().username));
    let stripe = &order.last_event().actor;
    assert_eq!((stripe.kind, &stripe.id), (ActorKind::Stripe, &None));
}

#[test]
fn an_order_round_trips_through_dynamodb_and_json() {
    for status in Status::ALL {
        let order =
            order_in(status).with_fact(&chargeback("dp_1", PRICE, ChargebackState::Inquiry));
        let item: serde_dynamo::Item = serde_dynamo::to_item(&order).unwrap();
        assert_eq!(serde_dynamo::from_item::<_, Order>(item).unwrap(), order, "{status}");
        let json = serde_json::to_string(&order).unwrap();
        assert_eq!(serde_json::from_str::<Order>(&json).unwrap(), order, "{status}");
    }
}
