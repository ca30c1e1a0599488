//! The table, every (state, move, actor) of it, against an expectation that was written down apart
//! from it.

use super::fixture::*;
use crate::domain::order::*;
use crate::domain::user::{Caller, Role};

/// The lifecycle, said once more. Guards hold in this expectation: worker named or not is `named`.
fn expected(from: Status, by: ActorKind, transition: Transition, named: bool) -> Option<Status> {
    use ActorKind::{Admin, Client, Stripe, Timer, Worker};
    use Status::{Assigned, Canceled, Completed, Delivered, Disputed, Open, Pending};
    let to = match (from, transition.as_str()) {
        (Pending, "pay") if by == Stripe => Open,
        (Pending, "cancel") if matches!(by, Client | Admin | Stripe) => Canceled,
        (Pending | Open, "expire") if by == Timer => Canceled,
        (Open, "accept") if by == Worker => Assigned,
        (Open, "cancel") if matches!(by, Client | Admin) => Canceled,
        (Assigned, "release") if by == Worker => Open,
        (Assigned, "reassign") if by == Admin && named => Assigned,
        (Assigned, "reassign") if by == Admin => Open,
        (Assigned, "deliver") if by == Worker => Delivered,
        (Assigned, "cancel") if by == Admin => Canceled,
        (Assigned | Delivered, "dispute") if matches!(by, Client | Worker) => Disputed,
        (Delivered, "request_revision") if by == Client => Assigned,
        (Delivered, "complete") if matches!(by, Client | Timer) => Completed,
        (Disputed, "resolve_release") if by == Admin => Completed,
        (Disputed, "resolve_refund") if by == Admin => Canceled,
        _ => return None,
    };
    Some(to)
}

/// Past every deadline.
const LATE: i64 = 60 * 24 * 365;

#[test]
fn every_state_move_and_actor_does_what_is_expected_and_nothing_else() {
    let mut moves = 0;
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
                    moves += usize::from(expected.is_some());

                    // The same through the door that people and timers come by.
                    let by = match kind {
                        ActorKind::Client => ActorContext::user(&client(), minute(LATE)),
                        ActorKind::Worker => ActorContext::user(&worker(), minute(LATE)),
                        ActorKind::Admin => ActorContext::user(&admin(), minute(LATE)),
                        ActorKind::Timer => ActorContext::timer(minute(LATE)),
                        ActorKind::Stripe => continue,
                    };
                    let moved = order.transition(transition, by.worker(named), &timers());
                    assert_eq!(
                        moved.as_ref().ok().map(|next| next.status),
                        expected,
                        "{from} {transition} {kind}"
                    );
                    match moved {
                        Ok(next) => {
                            assert_eq!(next.version, order.version + 1);
                            assert_eq!(next.last().kind, EventKind::Transition(transition));
                            assert_eq!(next.last().actor.kind, kind);
                        }
                        Err(refusal) => assert!(
                            matches!(
                                refusal,
                                TransitionError::Illegal { .. }
                                    | TransitionError::Forbidden
                                    | TransitionError::NotFound
                            ),
                            "{from} {transition} {kind}: {refusal:?}"
                        ),
                    }
                }
            }
        }
    }
    // 18 rows by actors, each met with and without a worker named; the two of `reassign` with one
    // of these only.
    let by_actor = TABLE
        .iter()
        .filter(|rule| rule.from.is_some())
        .map(|rule| rule.actors.len())
        .sum::<usize>();
    assert_eq!(moves, 2 * by_actor - 2);
}

#[test]
fn actions_are_exactly_the_moves_that_are_not_refused() {
    let mut suspended = worker();
    suspended.active = false;
    let ex_client = Caller { role: Role::Worker, ..client() };
    let callers = [client(), worker(), other_worker(), admin(), suspended, ex_client];
    for status in Status::ALL {
        let order = order_in(status);
        for caller in &callers {
            let actions = order.actions(caller);
            for transition in Transition::ALL {
                let moved = order.transition(
                    transition,
                    ActorContext::user(caller, order.updated_at),
                    &timers(),
                );
                assert_eq!(
                    actions.contains(&transition),
                    moved.is_ok(),
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
fn only_completed_and_canceled_are_final_and_every_state_is_reached() {
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
fn every_timer_has_the_one_move_that_it_makes_and_every_timed_move_its_timer() {
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
fn the_effects_of_a_row_are_the_money_steps_that_its_move_leaves_to_be_done() {
    for from in Status::ALL {
        // Every one with an intent, and paid for where the table says so.
        let order = order_in(from).told(&fact(PaymentFactKind::Processing));
        for rule in TABLE.iter().filter(|rule| rule.from == Some(from)) {
            for kind in rule.actors {
                let at = minute(LATE);
                let by = match kind {
                    ActorKind::Client => ActorContext::user(&client(), at),
                    ActorKind::Worker => ActorContext::user(&worker(), at),
                    ActorKind::Admin => ActorContext::user(&admin(), at),
                    ActorKind::Timer => ActorContext::timer(at),
                    ActorKind::Stripe => continue,
                };
                // Processing stops the clock of a pending order.
                let order = if from == Status::Pending {
                    order.told(&fact(PaymentFactKind::Failed))
                } else {
                    order.clone()
                };
                let to_open = rule.transition == Transition::Reassign && rule.to == Status::Open;
                let by = by.worker(
                    (!to_open)
                        .then(other_worker)
                        .filter(|_| rule.transition == Transition::Reassign),
                );
                let next = order.transition(rule.transition, by, &timers()).unwrap();
                let effect = next.money_step().map(|step| match step {
                    MoneyStep::CancelIntent { .. } => Effect::CancelIntent,
                    MoneyStep::Refund { .. } => Effect::Refund,
                });
                assert_eq!(effect.as_slice(), rule.effects, "{from} {}", rule.transition);
            }
        }
    }
}

#[test]
fn the_docs_say_what_the_table_says() {
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
    assert!(Guard::RevisionsLeft.describe().contains(&table::MAX_REVISIONS.to_string()));
    assert!(Guard::HandoversLeft.describe().contains(&table::MAX_HANDOVERS.to_string()));
}

#[test]
fn words_are_their_json_and_tell_events_apart() {
    for transition in Transition::ALL {
        assert_eq!(serde_json::to_value(transition).unwrap(), transition.as_str());
        let kind = EventKind::Transition(transition);
        assert_eq!(serde_json::from_value::<EventKind>(transition.as_str().into()).unwrap(), kind);
    }
    for step in PaymentStep::ALL {
        let kind = EventKind::Payment(step);
        assert_eq!(serde_json::from_value::<EventKind>(step.as_str().into()).unwrap(), kind);
    }
    assert_eq!(Transition::ResolveRefund.action(), "resolve");
    assert_eq!(Transition::RequestRevision.action(), "request_revision");
}
