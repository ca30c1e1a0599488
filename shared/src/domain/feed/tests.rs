//! Tests which events add entries to which feeds.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::*;
use crate::domain::order::tests::fixture::*;
use crate::domain::order::{ChargebackState, PaymentFactKind, RefundStatus};
use crate::domain::user::{Caller, Categories, Category, Email, NewUser, UserStatus};

fn notified(order: &Order) -> BTreeSet<(String, EntryKind, Reader)> {
    let notifications = notifications(order, order.history.last().unwrap());
    let set: BTreeSet<_> =
        notifications.iter().map(|n| (name(&n.feed), n.kind, n.reader)).collect();
    assert_eq!(set.len(), notifications.len(), "twice: {notifications:?}");
    set
}

/// Returns a feed's name, with the fixture's usernames instead of ids.
fn name(feed: &Feed) -> String {
    let people = [client(), worker(), other_worker(), admin()];
    match feed {
        Feed::User(id) => {
            people.iter().find(|person| person.id == *id).unwrap().username.to_string()
        }
        shared => shared.to_string(),
    }
}

/// Asserts that the last event adds exactly these entries. `carol` is the client, `walter` is the
/// worker, and `wanda` is another worker.
#[track_caller]
fn assert_notified(order: &Order, expected: &[(&str, EntryKind, Reader)]) {
    let expected =
        expected.iter().map(|(feed, kind, reader)| ((*feed).to_owned(), *kind, *reader)).collect();
    assert_eq!(notified(order), expected);
}

/// Returns the order after a transition that must be allowed.
fn after(order: &Order, transition: Transition, caller: &Caller, worker: Option<Caller>) -> Order {
    let context = crate::domain::order::ActorContext::user(caller, order.updated_at).worker(worker);
    order.transition(transition, context, &timers()).unwrap()
}

const POOL: [(&str, EntryKind, Reader); 2] = [
    ("workers:design", EntryKind::OrderOpened, Reader::Pool),
    ("workers:*", EntryKind::OrderOpened, Reader::Pool),
];

fn client_and_worker(kind: EntryKind) -> [(&'static str, EntryKind, Reader); 2] {
    [("carol", kind, Reader::Client), ("walter", kind, Reader::Worker)]
}

#[test]
fn placing_an_order_and_starting_a_payment_notify_nobody() {
    assert_notified(&placed(), &[]);
    assert_notified(&placed().with_fact(&fact(PaymentFactKind::RequiresAction)), &[]);
}

#[test]
fn a_payment_notifies_the_pool_and_the_client() {
    let [category, any] = POOL;
    assert_notified(
        &order_in(Status::Open),
        &[category, any, ("carol", EntryKind::PaymentPaid, Reader::Client)],
    );
}

#[test]
fn an_assignment_notifies_the_client_and_the_worker() {
    assert_notified(&order_in(Status::Assigned), &client_and_worker(EntryKind::OrderAssigned));
}

#[test]
fn a_release_notifies_the_client_the_former_worker_and_the_pool() {
    let [category, any] = POOL;
    let expected = [
        category,
        any,
        ("carol", EntryKind::OrderReleased, Reader::Client),
        ("walter", EntryKind::OrderReleased, Reader::FormerWorker),
    ];
    let assigned = order_in(Status::Assigned);
    assert_notified(&after(&assigned, Transition::Release, &worker(), None), &expected);
    assert_notified(&after(&assigned, Transition::Reassign, &admin(), None), &expected);
}

#[test]
fn a_reassignment_notifies_both_workers_and_hides_the_new_one_from_the_former() {
    let order =
        after(&order_in(Status::Assigned), Transition::Reassign, &admin(), Some(other_worker()));
    assert_notified(
        &order,
        &[
            ("carol", EntryKind::OrderAssigned, Reader::Client),
            ("wanda", EntryKind::OrderAssigned, Reader::Worker),
            ("walter", EntryKind::OrderReleased, Reader::FormerWorker),
        ],
    );
    assert!(!Reader::FormerWorker.sees_worker());
    assert_eq!(Reader::FormerWorker.actor_kind(), None);
}

#[test]
fn delivery_revision_and_completion_notify_the_client_and_the_worker() {
    let delivered = order_in(Status::Delivered);
    assert_notified(&delivered, &client_and_worker(EntryKind::OrderDelivered));
    assert_notified(
        &delivered.then(Transition::RequestRevision, &client()),
        &client_and_worker(EntryKind::OrderRevisionRequested),
    );
    assert_notified(
        &delivered.then(Transition::Complete, &client()),
        &client_and_worker(EntryKind::OrderCompleted),
    );
    let due = delivered.deadline.unwrap();
    let timed = delivered
        .transition(Transition::Complete, crate::domain::order::ActorContext::timer(due), &timers())
        .unwrap();
    assert_notified(&timed, &client_and_worker(EntryKind::OrderCompleted));
}

#[test]
fn a_cancellation_notifies_the_client_and_the_worker_if_there_is_one() {
    assert_notified(
        &order_in(Status::Canceled),
        &[("carol", EntryKind::OrderCanceled, Reader::Client)],
    );
    assert_notified(
        &after(&order_in(Status::Assigned), Transition::Cancel, &admin(), None),
        &client_and_worker(EntryKind::OrderCanceled),
    );
    let pending = placed();
    let context = crate::domain::order::ActorContext::timer(pending.deadline.unwrap());
    let expired = pending.transition(Transition::Expire, context, &timers()).unwrap();
    assert_notified(&expired, &[("carol", EntryKind::OrderCanceled, Reader::Client)]);
}

#[test]
fn disputes_and_their_resolution_notify_both_parties_and_administrators() {
    let disputed = order_in(Status::Disputed);
    let [one, other] = client_and_worker(EntryKind::OrderDisputed);
    assert_notified(
        &disputed,
        &[one, other, ("role:admins", EntryKind::OrderDisputed, Reader::Admin)],
    );
    let [one, other] = client_and_worker(EntryKind::OrderResolved);
    for outcome in [Transition::ResolveRelease, Transition::ResolveRefund] {
        let expected = [one, other, ("role:admins", EntryKind::OrderResolved, Reader::Admin)];
        assert_notified(&disputed.then(outcome, &admin()), &expected);
    }
}

#[test]
fn payment_progress_notifies_only_the_client() {
    let client = |kind| [("carol", kind, Reader::Client)];
    assert_notified(
        &placed().with_fact(&fact(PaymentFactKind::Processing)),
        &client(EntryKind::PaymentProcessing),
    );
    assert_notified(
        &placed().with_fact(&fact(PaymentFactKind::Failed)),
        &client(EntryKind::PaymentFailed),
    );
    let late = order_in(Status::Canceled).with_fact(&succeeded());
    assert_notified(&late, &client(EntryKind::PaymentPaid));
    assert_notified(&late.with_fact(&refund("re_1", PRICE, RefundStatus::Pending)), &[]);
    assert_notified(
        &late.with_fact(&refund("re_1", PRICE, RefundStatus::Succeeded)),
        &client(EntryKind::PaymentRefunded),
    );
    // The worker of a refunded order is notified of the cancellation, not of the refund.
    let assigned = after(&order_in(Status::Assigned), Transition::Cancel, &admin(), None);
    assert_notified(
        &assigned.with_fact(&refund("re_1", PRICE, RefundStatus::Succeeded)),
        &client(EntryKind::PaymentRefunded),
    );
}

#[test]
fn failed_refunds_and_chargebacks_notify_only_administrators() {
    let admins = |kind| [("role:admins", kind, Reader::Admin)];
    let assigned = order_in(Status::Assigned);
    let disputed = assigned.with_fact(&chargeback("dp_1", PRICE, ChargebackState::Open));
    assert_notified(&disputed, &admins(EntryKind::PaymentDisputed));
    let won = disputed.with_fact(&chargeback("dp_1", PRICE, ChargebackState::Won));
    assert_notified(&won, &admins(EntryKind::PaymentDisputeClosed));
    let canceled = order_in(Status::Open).then(Transition::Cancel, &client());
    assert_notified(
        &canceled.with_fact(&refund("re_1", PRICE, RefundStatus::Failed)),
        &admins(EntryKind::PaymentRefundFailed),
    );
}

#[test]
fn the_notifications_of_an_event_do_not_depend_on_later_events() {
    let mut order = order_in(Status::Assigned);
    let mut notified_then = vec![notified(&order)];
    order = after(&order, Transition::Reassign, &admin(), Some(other_worker()));
    notified_then.push(notified(&order));
    order = after(&order, Transition::Release, &other_worker(), None);
    notified_then.push(notified(&order));
    let first = order.history.len() - notified_then.len();
    for (event, notified) in order.history[first..].iter().zip(notified_then) {
        let now: BTreeSet<_> = notifications(&order, event)
            .iter()
            .map(|n| (name(&n.feed), n.kind, n.reader))
            .collect();
        assert_eq!(now, notified, "{event:?}");
    }
}

#[test]
fn a_category_named_star_is_notified_once() {
    let mut service = service();
    service.category = Category::parse("*").unwrap();
    let context = crate::domain::order::ActorContext::user(&client(), minute(0));
    let order =
        Order::place(placed().id, &service, context, &timers()).unwrap().with_fact(&succeeded());
    assert_eq!(notified(&order).len(), 2);
}

fn user(role: Role, categories: &[&str]) -> User {
    let categories = categories.iter().map(|text| Category::parse(text).unwrap()).collect();
    let new = NewUser {
        email: Email::parse("x@example.com").unwrap(),
        username: worker().username,
        role,
        categories: Categories::new(categories).unwrap(),
    };
    User::new(worker().id, new, Timestamp::UNIX_EPOCH).unwrap()
}

#[test]
fn users_read_their_own_feed_their_roles_feed_and_the_feeds_of_their_categories() {
    let names = |user: &User| Feed::of(user).iter().map(ToString::to_string).collect::<Vec<_>>();
    let own = format!("user:{}", worker().id);
    assert_eq!(names(&user(Role::Client, &[])), [&own, "role:clients"]);
    assert_eq!(names(&user(Role::Admin, &[])), [&own, "role:admins"]);
    assert_eq!(names(&user(Role::Worker, &[])), [&own, "role:workers", "workers:*"]);
    let served = user(Role::Worker, &["Design", "Web  Development"]);
    assert_eq!(names(&served), [&own, "role:workers", "workers:design", "workers:web development"]);

    let reads = |user: &User, feed: &str| Feed::parse(feed).unwrap().may_be_read_by(user);
    assert!(reads(&served, "workers:design"));
    for foreign in [
        "workers:*",
        "workers:writing",
        "role:admins",
        "role:clients",
        &format!("user:{}", client().id),
    ] {
        assert!(!reads(&served, foreign), "{foreign}");
    }
    let suspended = User { status: UserStatus::Suspended, ..served };
    assert!(!reads(&suspended, &own));
}

#[test]
fn each_feed_has_exactly_one_name() {
    let own = format!("user:{}", worker().id);
    for name in [
        own.as_str(),
        "role:workers",
        "role:clients",
        "role:admins",
        "workers:*",
        "workers:c#: дизайн",
    ] {
        let feed = Feed::parse(name).unwrap();
        assert_eq!(feed.to_string(), name);
        assert_eq!(serde_json::to_value(&feed).unwrap(), name);
    }
    for bad in [
        "",
        "user:",
        "user:x",
        "role:worker",
        "role:*",
        "workers:",
        "workers:Design",
        "workers: a",
        "x:y",
        "workers",
    ] {
        assert!(Feed::parse(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn entry_types_have_their_documented_names() {
    assert_eq!(EntryKind::OrderRevisionRequested.as_str(), "order.revision_requested");
    assert_eq!(serde_json::to_value(EntryKind::MessageReceived).unwrap(), "message.received");
}
