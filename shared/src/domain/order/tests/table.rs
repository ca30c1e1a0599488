//! Checks every (status, transition, actor) of the table against an independent list.

use super::fixture::*;
use crate::domain::order::table::{MAX_HANDOVERS, MAX_REVISIONS};
use crate::domain::order::*;
use crate::domain::user::{Caller, Role};

/// The lifecycle, written down a second time. All guards are assumed to hold. `named` says whether
/// the request names a worker.
fn expected(from: Status, actor: ActorKind, transition: Transition, named: bool) -> Option<Status> {
    use ActorKind::{Admin, Client, Stripe, Timer, Worker};
    use Status::{Assigned, Canceled, Completed, Delivered, Disputed, Open, Pending};
    let to = match (from, transition.as_str()) {
        (Pending, "pay") if actor == Stripe => Open,
        (Pending, "cancel") if matches!(actor, Client | Admin | Stripe) => Canceled,
        (Pending | Open, "expire") if actor == Timer => Canceled,
        (Open, "accept") if actor == Worker => Assigned,
        (Open, "cancel") if matches!(actor, Client | Admin) => Canceled,
        (Assigned, "release") if actor == Worker => Open,
        (Assigned, "reassign") if actor == Admin && named => Assigned,
        (Assigned, "reassign") if actor == Admin => Open,
        (Assigned, "deliver") if actor == Worker => Delivered,
        (Assigned, "cancel") if actor == Admin => Canceled,
        (Assigned | Delivered, "dispute") if matches!(actor, Client | Worker) => Disputed,
        (Delivered, "request_revision") if actor == Client => Assigned,
        (Delivered, "complete") if matches!(actor, Client | Timer) => Completed,
        (Disputed, "resolve_release") if actor == Admin => Completed,
        (Disputed, "resolve_refund") if actor == Admin => Canceled,
        _ => return None,
    };
    Some(to)
}

/// A time after every deadline, in minutes.
const LATE: i64 = 60 * 24 * 365;

#[test]
fn every_status_transition_and_actor_matches_the_expectation() {
    let mut allowed = 0;
    for from in Status::ALL {
        let order = order_in(from);
        for transition in Transition::ALL {
            for kind in ActorKind::ALL {
                for named in [None, Some(other_worker())] {
                    let expected = expected(from, kind, transition, named.is_some());
                    let rule = order.rule(transition, kind, minute(LATE), named.as_ref());
                    assert_eq!(
                        rule.as_ref().ok().map(|rule| rule.to),
                        expected,
                        "{from} {transition} {kind}"
                    );
                    allowed += usize::from(expected.is_some());

                    // Check the same through the public function for people and timers.
                    let context = match kind {
                        ActorKind::Client => ActorContext::user(&client(), minute(LATE)),
                        ActorKind::Worker => ActorContext::user(&worker(), minute(LATE)),
                        ActorKind::Admin => ActorContext::user(&admin(), minute(LATE)),
                        ActorKind::Timer => ActorContext::timer(minute(LATE)),
                        ActorKind::Stripe => continue,
                    };
                    let result = order.transition(transition, context.worker(named), &timers());
                    assert_eq!(
                        result.as_ref().ok().map(|next| next.status),
                        expected,
                        "{from} {transition} {kind}"
                    );
                    match result {
                        Ok(next) => {
                            assert_eq!(next.version, order.version + 1);
                            assert_eq!(next.last_event().kind, EventKind::Transition(transition));
                            assert_eq!(next.last_event().actor.kind, kind);
                        }
                        Err(error) => assert!(
                            matches!(
                                error,
                                TransitionError::Illegal { .. }
                                    | TransitionError::Forbidden
                                    | TransitionError::NotFound
                            ),
                            "{from} {transition} {kind}: {error:?}"
                        ),
                    }
                }
            }
        }
    }
    // Each row counts once per actor, with and without a named worker. The two rows of `reassign`
    // apply to only one of these.
    let by_actor = TABLE
        .iter()
        .filter(|rule| rule.from.is_some())
        .map(|rule| rule.actors.len())
        .sum::<usize>();
    assert_eq!(allowed, 2 * by_actor - 2);
}

#[test]
fn actions_are_exactly_the_allowed_transitions() {
    let mut suspended = worker();
    suspended.active = false;
    let ex_client = Caller { role: Role::Worker, ..client() };
    let callers = [client(), worker(), other_worker(), admin(), suspended, ex_client];
    for status in Status::ALL {
        let order = order_in(status);
        for caller in &callers {
            let actions = order.actions(caller);
            for transition in Transition::ALL {
                let result = order.transition(
                    transition,
                    ActorContext::user(caller, order.updated_at),
                    &timers(),
                );
                assert_eq!(
                    actions.contains(&transition),
                    result.is_ok(),
                    "{status} {transition} {caller:?}"
                );
            }
        }
        for (kind, caller) in [(ActorKind::Client, client()), (ActorKind::Admin, admin())] {
            assert_eq!(order.actions_as(kind), order.actions(&caller), "{status} {kind}");
        }
    }
    assert_eq!(order_in(Status::Open).actions(&worker()), [Transition::Accept]);
    assert_eq!(order_in(Status::Open).actions_as(ActorKind::Worker), [Transition::Accept]);
    assert_eq!(order_in(Status::Assigned).actions(&other_worker()), []);
}

#[test]
fn only_completed_and_canceled_are_final_and_every_status_is_reachable() {
    for status in Status::ALL {
        assert_eq!(
            status.is_final(),
            matches!(status, Status::Completed | Status::Canceled),
            "{status}"
        );
        assert!(TABLE.iter().any(|rule| rule.to == status), "{status}");
    }
}

#[test]
fn every_timer_has_exactly_one_transition_and_every_timed_transition_a_timer() {
    for status in Status::ALL {
        let timed: Vec<_> = TABLE
            .iter()
            .filter(|r| r.from == Some(status) && r.actors == [ActorKind::Timer])
            .collect();
        assert_eq!(timed.len(), usize::from(status.timer().is_some()), "{status}");
        assert!(timed.iter().all(|rule| rule.guards == [Guard::Due]), "{status}");
    }
}

#[test]
fn the_effects_of_a_row_match_the_stripe_action_after_its_transition() {
    for from in Status::ALL {
        // Every order has an intent, and is paid if its status requires that.
        let order = order_in(from).with_fact(&fact(PaymentFactKind::Processing));
        for rule in TABLE.iter().filter(|rule| rule.from == Some(from)) {
            for kind in rule.actors {
                let at = minute(LATE);
                let context = match kind {
                    ActorKind::Client => ActorContext::user(&client(), at),
                    ActorKind::Worker => ActorContext::user(&worker(), at),
                    ActorKind::Admin => ActorContext::user(&admin(), at),
                    ActorKind::Timer => ActorContext::timer(at),
                    ActorKind::Stripe => continue,
                };
                // A pending order's timer stops while its payment is processing.
                let order = if from == Status::Pending {
                    order.with_fact(&fact(PaymentFactKind::Failed))
                } else {
                    order.clone()
                };
                let to_open = rule.transition == Transition::Reassign && rule.to == Status::Open;
                let context = context.worker(
                    (!to_open)
                        .then(other_worker)
                        .filter(|_| rule.transition == Transition::Reassign),
                );
                let next = order.transition(rule.transition, context, &timers()).unwrap();
                let effect = next.stripe_action().map(|step| match step {
                    StripeAction::CancelIntent { .. } => Effect::CancelIntent,
                    StripeAction::Refund { .. } => Effect::Refund,
                });
                assert_eq!(effect.as_slice(), rule.effects, "{from} {}", rule.transition);
            }
        }
    }
}

#[test]
fn the_lifecycle_page_contains_the_table() {
    let markdown = diagram::markdown();
    assert_eq!(diagram::table().lines().count(), 2 + TABLE.len());
    for line in [
        "[*] --> pending: place (client)",
        "open --> assigned: accept (worker)",
        "completed --> [*]",
        "| open | `expire` | canceled | timer | the deadline has passed | refund |  |",
        "| pending | `pay` | open | stripe |  |  | unclaimed |",
    ] {
        assert!(markdown.contains(line), "{line}\n{markdown}");
    }
    for (guard, limit) in
        [(Guard::RevisionsLeft, MAX_REVISIONS), (Guard::HandoversLeft, MAX_HANDOVERS)]
    {
        let limit = limit.to_string();
        assert!(guard.describe().contains(&limit) && guard.detail().contains(&limit), "{guard}");
    }
}

#[test]
fn names_are_the_json_values_and_distinguish_events() {
    for transition in Transition::ALL {
        assert_eq!(serde_json::to_value(transition).unwrap(), transition.as_str());
        let kind = EventKind::Transition(transition);
        assert_eq!(serde_json::from_value::<EventKind>(transition.as_str().into()).unwrap(), kind);
    }
    for step in PaymentEvent::ALL {
        let kind = EventKind::Payment(step);
        assert_eq!(serde_json::from_value::<EventKind>(step.as_str().into()).unwrap(), kind);
    }
    assert_eq!(Transition::ResolveRefund.action(), "resolve");
    assert_eq!(Transition::RequestRevision.action(), "request_revision");
}
