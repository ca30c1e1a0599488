//! Who may make which transition, the limits, and the timers.

use jiff::SignedDuration;

use super::fixture::*;
use crate::domain::order::*;
use crate::domain::service::{Service, ServiceStatus};
use crate::domain::text::Note;
use crate::domain::user::{Caller, Role};

fn request(
    order: &Order,
    transition: Transition,
    caller: &Caller,
) -> Result<Order, TransitionError> {
    order.transition(transition, ActorContext::user(caller, order.updated_at), &timers())
}

fn stranger() -> Caller {
    caller("sam", Role::Client)
}

#[test]
fn an_active_client_places_an_order_for_an_active_service_at_its_price() {
    let place = |caller: &Caller, service: &Service| {
        Order::place(placed().id, service, ActorContext::user(caller, minute(0)), &timers())
            .map(|order| order.version)
    };
    assert_eq!(place(&client(), &service()), Ok(1));
    assert_eq!(place(&worker(), &service()), Err(TransitionError::Forbidden));
    assert_eq!(place(&admin(), &service()), Err(TransitionError::Forbidden));
    assert_eq!(
        place(&Caller { active: false, ..client() }, &service()),
        Err(TransitionError::Inactive)
    );
    let gone = Service { status: ServiceStatus::Deactivated, ..service() };
    assert_eq!(place(&client(), &gone), Err(TransitionError::ServiceNotFound));

    let order = placed();
    assert_eq!((order.status, order.payment_status), (Status::Pending, PaymentStatus::Unpaid));
    assert_eq!(order.price, service().price);
    assert_eq!(order.deadline, Some(minute(30)));
}

#[test]
fn only_one_of_two_workers_gets_an_order_and_the_other_learns_its_status_and_version() {
    let order = order_in(Status::Open);
    let won = request(&order, Transition::Accept, &worker()).unwrap();
    assert_eq!(won.worker.as_ref().map(|w| &w.id), Some(&worker().id));
    let late = request(&won, Transition::Accept, &other_worker());
    let (status, version) = (Status::Assigned, won.version);
    assert_eq!(
        late,
        Err(TransitionError::Illegal { transition: Transition::Accept, status, version })
    );
}

#[test]
fn orders_of_others_look_as_if_they_did_not_exist() {
    for status in Status::ALL {
        let order = order_in(status);
        for transition in Transition::ALL {
            assert_eq!(
                request(&order, transition, &stranger()),
                Err(TransitionError::NotFound),
                "{status} {transition}"
            );
        }
        let hidden = status != Status::Open;
        for transition in Transition::ALL.into_iter().filter(|t| *t != Transition::Accept) {
            let expected =
                if hidden { TransitionError::NotFound } else { TransitionError::Forbidden };
            assert_eq!(
                request(&order, transition, &other_worker()),
                Err(expected),
                "{status} {transition}"
            );
        }
    }
    // This order was never in the pool.
    assert_eq!(request(&placed(), Transition::Accept, &worker()), Err(TransitionError::NotFound));
    assert_eq!(
        request(&order_in(Status::Canceled), Transition::Accept, &worker()),
        Err(TransitionError::NotFound)
    );
}

#[test]
fn an_action_of_another_role_is_forbidden_and_a_late_one_is_a_conflict() {
    let open = order_in(Status::Open);
    assert_eq!(request(&open, Transition::Accept, &client()), Err(TransitionError::Forbidden));
    assert_eq!(request(&open, Transition::Accept, &admin()), Err(TransitionError::Forbidden));
    assert_eq!(request(&open, Transition::Pay, &client()), Err(TransitionError::Forbidden));
    assert_eq!(request(&open, Transition::Expire, &admin()), Err(TransitionError::Forbidden));
    let assigned = order_in(Status::Assigned);
    assert!(matches!(
        request(&assigned, Transition::Cancel, &client()),
        Err(TransitionError::Illegal { .. })
    ));
    let completed = order_in(Status::Completed);
    assert!(matches!(
        request(&completed, Transition::Complete, &client()),
        Err(TransitionError::Illegal { .. })
    ));
}

#[test]
fn suspended_users_cannot_act() {
    let suspended = Caller { active: false, ..worker() };
    assert_eq!(
        request(&order_in(Status::Open), Transition::Accept, &suspended),
        Err(TransitionError::Inactive)
    );
    assert_eq!(
        request(&order_in(Status::Assigned), Transition::Deliver, &suspended),
        Err(TransitionError::Inactive)
    );
    assert_eq!(order_in(Status::Assigned).actions(&suspended), []);
}

#[test]
fn a_client_who_became_a_worker_cannot_claim_their_own_order() {
    let former_client = Caller { role: Role::Worker, ..client() };
    assert_eq!(
        request(&order_in(Status::Open), Transition::Accept, &former_client),
        Err(TransitionError::OwnOrder)
    );
    let order = order_in(Status::Assigned);
    let context = ActorContext::user(&admin(), order.updated_at).worker(Some(former_client));
    let refused = order.transition(Transition::Reassign, context, &timers());
    assert!(matches!(refused, Err(TransitionError::Guard { guard: Guard::NewWorker, .. })));
}

#[test]
fn a_former_worker_can_no_longer_move_orders() {
    let demoted = Caller { role: Role::Client, ..worker() };
    assert_eq!(
        request(&order_in(Status::Assigned), Transition::Deliver, &demoted),
        Err(TransitionError::Forbidden)
    );
}

#[test]
fn visibility_depends_on_role_and_status() {
    for status in Status::ALL {
        let order = order_in(status);
        let has_worker = order.worker.is_some();
        let pool = if status == Status::Open { Visibility::Pool } else { Visibility::None };
        assert_eq!(order.visibility(&client()), Visibility::Full, "{status}");
        assert_eq!(order.visibility(&admin()), Visibility::Full, "{status}");
        assert_eq!(
            order.visibility(&worker()),
            if has_worker { Visibility::Full } else { pool },
            "{status}"
        );
        assert_eq!(order.visibility(&other_worker()), pool, "{status}");
        assert_eq!(order.visibility(&stranger()), Visibility::None, "{status}");
    }
}

#[test]
fn an_admin_reassigns_to_another_active_worker_or_to_the_pool() {
    let order = order_in(Status::Assigned);
    let reassign = |to: Option<Caller>| {
        order.transition(
            Transition::Reassign,
            ActorContext::user(&admin(), order.updated_at).worker(to),
            &timers(),
        )
    };
    let reassigned = reassign(Some(other_worker())).unwrap();
    assert_eq!(reassigned.status, Status::Assigned);
    assert_eq!(reassigned.worker.unwrap().id, other_worker().id);
    let returned = reassign(None).unwrap();
    assert_eq!((returned.status, returned.worker), (Status::Open, None));
    for ineligible in [worker(), stranger(), admin(), Caller { active: false, ..other_worker() }] {
        let refused = reassign(Some(ineligible));
        assert!(
            matches!(refused, Err(TransitionError::Guard { guard: Guard::NewWorker, .. })),
            "{refused:?}"
        );
    }
}

#[test]
fn revisions_and_handovers_are_limited_but_an_order_can_always_end() {
    let mut order = order_in(Status::Delivered);
    for _ in 0..table::MAX_REVISIONS {
        order =
            order.then(Transition::RequestRevision, &client()).then(Transition::Deliver, &worker());
    }
    let refused = request(&order, Transition::RequestRevision, &client());
    assert!(matches!(refused, Err(TransitionError::Guard { guard: Guard::RevisionsLeft, .. })));
    assert_eq!(order.actions(&client()), [Transition::Complete, Transition::Dispute]);

    let mut order = order_in(Status::Assigned);
    for n in 0..table::MAX_HANDOVERS {
        // Releases and reassignments both count.
        order = match n % 2 {
            0 => order.then(Transition::Release, &worker()),
            _ => order.then(Transition::Reassign, &admin()),
        };
        order = order.then(Transition::Accept, &worker());
    }
    for (transition, caller) in [(Transition::Release, worker()), (Transition::Reassign, admin())] {
        let refused = request(&order, transition, &caller);
        assert!(
            matches!(refused, Err(TransitionError::Guard { guard: Guard::HandoversLeft, .. })),
            "{refused:?}"
        );
    }
    assert_eq!(order.actions(&admin()), [Transition::Cancel]);
    assert_eq!(order.actions(&worker()), [Transition::Deliver, Transition::Dispute]);
}

#[test]
fn the_largest_history_fits_into_one_item() {
    let note = Note::parse(&"\u{10FFFD}".repeat(Note::MAX)).unwrap();
    let with_long_note = |transition, order: &Order, caller: &Caller| {
        let key = Idempotency::new(&caller.id, "x", &order.version.to_string(), &[]);
        let context = ActorContext::user(caller, order.updated_at)
            .note(Some(note.clone()))
            .idempotency(Some(key));
        order.transition(transition, context, &timers()).unwrap()
    };
    let mut order = Order::place(
        placed().id,
        &service(),
        ActorContext::user(&client(), minute(0)).note(Some(note.clone())),
        &timers(),
    )
    .unwrap();
    for _ in 0..apply_payment::MAX_RECORDED_ATTEMPTS {
        order = order
            .with_fact(&fact(PaymentFactKind::Processing))
            .with_fact(&fact(PaymentFactKind::Failed));
    }
    order = order.with_fact(&succeeded());
    for _ in 0..table::MAX_HANDOVERS {
        order = with_long_note(Transition::Accept, &order, &worker());
        order = with_long_note(Transition::Release, &order, &worker());
    }
    order = with_long_note(Transition::Accept, &order, &worker());
    for _ in 0..table::MAX_REVISIONS {
        order = with_long_note(Transition::Deliver, &order, &worker());
        order = with_long_note(Transition::RequestRevision, &order, &client());
    }
    order = with_long_note(Transition::Deliver, &order, &worker());
    order = with_long_note(Transition::Dispute, &order, &client());
    order = with_long_note(Transition::ResolveRefund, &order, &admin());
    order = order.with_fact(&refund("re_1", PRICE, RefundStatus::Succeeded));
    let size = serde_json::to_vec(&order).unwrap().len();
    // DynamoDB's limit is 400 KB
    // (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html>).
    assert!((250_000..350_000).contains(&size), "{size}");
}

#[test]
fn each_status_sets_its_own_deadline() {
    let after =
        |order: &Order| order.deadline.map(|deadline| deadline.duration_since(order.updated_at));
    let days = |n: i64| Some(SignedDuration::from_hours(24 * n));
    assert_eq!(after(&order_in(Status::Pending)), Some(SignedDuration::from_mins(30)));
    assert_eq!(after(&order_in(Status::Open)), days(7));
    assert_eq!(after(&order_in(Status::Delivered)), days(3));
    for untimed in [Status::Assigned, Status::Completed, Status::Disputed, Status::Canceled] {
        assert_eq!(after(&order_in(untimed)), None, "{untimed}");
    }
    let released = order_in(Status::Assigned).then(Transition::Release, &worker());
    assert_eq!(after(&released), days(7));
}

#[test]
fn a_timer_fires_once_and_not_after_the_order_has_moved_on() {
    let order = placed();
    assert_eq!(order.due(minute(29)), None);
    assert_eq!(order.due(minute(30)), Some(Transition::Expire));
    let early = order.transition(Transition::Expire, ActorContext::timer(minute(29)), &timers());
    assert!(matches!(early, Err(TransitionError::Guard { guard: Guard::Due, .. })));
    let expired =
        order.transition(Transition::Expire, ActorContext::timer(minute(30)), &timers()).unwrap();
    assert_eq!(expired.status, Status::Canceled);
    assert_eq!(expired.due(minute(1_000_000)), None);
    assert!(
        expired.transition(Transition::Expire, ActorContext::timer(minute(31)), &timers()).is_err()
    );

    let delivered = order_in(Status::Delivered);
    let late = delivered.updated_at + SignedDuration::from_hours(72);
    assert_eq!(delivered.due(late), Some(Transition::Complete));
    assert_eq!(delivered.then(Transition::Dispute, &client()).due(late), None);
    assert_eq!(
        delivered
            .transition(Transition::Complete, ActorContext::timer(late), &timers())
            .unwrap()
            .status,
        Status::Completed
    );
}

#[test]
fn only_the_client_and_the_worker_exchange_messages() {
    let order = order_in(Status::Assigned);
    assert_eq!(order.message_recipient(&client()).unwrap().id, worker().id);
    assert_eq!(order.message_recipient(&worker()).unwrap().id, client().id);
    assert_eq!(order.message_recipient(&admin()), Err(TransitionError::Forbidden));
    assert_eq!(order.message_recipient(&other_worker()), Err(TransitionError::NotFound));
    let open = order_in(Status::Open);
    assert_eq!(
        open.message_recipient(&client()),
        Err(TransitionError::NoWorkerYet { version: open.version })
    );
    assert_eq!(open.message_recipient(&worker()), Err(TransitionError::Forbidden));
}
