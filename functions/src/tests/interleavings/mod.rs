//! A property test: clients, workers, administrators, timers and webhooks act on one order at
//! the same time, with a real database, while Stripe and the database answer late, twice or not at
//! all. A model checks the results.
//!
//! A step acts on the order as it was some steps ago. Because every write is conditional, this has
//! the same effect as acting at the same time, and makes each run reproducible, so that a failing
//! run can be shrunk.

mod database;
mod stripe;

use futures::TryStreamExt;
use jiff::{SignedDuration, Timestamp};
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;
use shared::domain::ids::{OrderId, ServiceId, UserId};
use shared::domain::money::{Currency, Money, Price};
use shared::domain::order::{
    ActorContext, Idempotency, Order, PaymentStatus, Status, TABLE, Timers, Transition,
};
use shared::domain::service::{NewService, Service};
use shared::domain::text::{Category, Description, Name, Note};
use shared::domain::user::{Caller, Role, Username};
use shared::error::catalogue;
use shared::store::StripeEvent;
use uuid::Uuid;

use self::database::LostResponses;
use self::stripe::{CallFault, FakeStripe, StripeChange};
use crate::orders::cancel::CancelIntent;
use crate::orders::transition::{TransitionCommand, TransitionOutcome};
use crate::orders::{OrderTimers, timers};
use crate::payments::PaymentService;

const PRICE: i64 = 1999;

/// The users who act.
const PEOPLE: [(&str, Role); 5] = [
    ("carol", Role::Client),
    ("walter", Role::Worker),
    ("wanda", Role::Worker),
    ("ada", Role::Admin),
    ("mallory", Role::Client),
];

/// The transitions that users make.
const TRANSITIONS: [Transition; 10] = [
    Transition::Accept,
    Transition::Release,
    Transition::Reassign,
    Transition::Deliver,
    Transition::RequestRevision,
    Transition::Complete,
    Transition::Cancel,
    Transition::Dispute,
    Transition::ResolveRelease,
    Transition::ResolveRefund,
];

#[derive(Debug, Clone)]
enum Action {
    /// One of [`PEOPLE`] makes a transition, twice if it has a key. A reassignment gives the
    /// order to `new_worker`, or to nobody.
    Transition { who: usize, transition: Transition, key: Option<u8>, new_worker: Option<usize> },
    /// The client requests the payment.
    StartPayment,
    /// Something happens at Stripe.
    Stripe(StripeChange),
    /// A webhook event or the client's confirmation applies Stripe's state to the order.
    SyncPayment,
    /// The stream function or the reconciler does at Stripe what the order needs.
    Settle,
    /// The timers run.
    RunTimers,
}

#[derive(Debug, Clone)]
struct Step {
    action: Action,
    /// How many versions ago the order was read.
    behind: usize,
    /// What goes wrong with the step's call to Stripe.
    fault: CallFault,
    /// How many responses of the database get lost.
    lost_responses: usize,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let people = 0..PEOPLE.len();
    let moves = (
        people.clone(),
        select(&TRANSITIONS[..]),
        proptest::option::of(0..3_u8),
        proptest::option::of(people),
    )
        .prop_map(|(who, transition, key, new_worker)| Action::Transition {
            who,
            transition,
            key,
            new_worker,
        });
    // The usual course, so that runs make progress: the client pays, a worker works.
    let usual =
        select(vec![(1, Transition::Accept), (1, Transition::Deliver), (0, Transition::Complete)])
            .prop_map(|(who, transition)| Action::Transition {
                who,
                transition,
                key: None,
                new_worker: None,
            });
    let change = select(vec![
        StripeChange::Pays,
        StripeChange::Pays,
        StripeChange::Starts,
        StripeChange::Succeeds,
        StripeChange::Fails,
        StripeChange::RefundSucceeds,
        StripeChange::RefundFails,
    ]);
    let action = prop_oneof![
        6 => moves,
        3 => usual,
        3 => Just(Action::StartPayment),
        4 => change.prop_map(Action::Stripe),
        4 => Just(Action::SyncPayment),
        2 => Just(Action::Settle),
        1 => Just(Action::RunTimers),
    ];
    let fault = prop_oneof![8 => Just(CallFault::None), 1 => Just(CallFault::Before), 1 => Just(CallFault::After)];
    let behind = prop_oneof![4 => Just(0_usize), 1 => 1..4_usize];
    let lost_responses = prop_oneof![8 => Just(0_usize), 1 => 1..3_usize];
    let step = (action, behind, fault, lost_responses).prop_map(
        |(action, behind, fault, lost_responses)| Step { action, behind, fault, lost_responses },
    );
    (any::<bool>(), vec(step, 1..30)).prop_map(|(paid, steps)| {
        let first = [Action::StartPayment, Action::Stripe(StripeChange::Pays), Action::SyncPayment];
        let first = first.map(|action| Step {
            action,
            behind: 0,
            fault: CallFault::None,
            lost_responses: 0,
        });
        first.into_iter().filter(|_| paid).chain(steps).collect()
    })
}

/// The system under test.
struct World {
    timers_context: OrderTimers,
    payments: PaymentService<FakeStripe>,
    lost_responses: LostResponses,
    people: Vec<Caller>,
}

struct Run<'a> {
    world: &'a World,
    /// Every version of the order that was read.
    seen: Vec<Order>,
    /// The worker who has the order, according to the responses that users got.
    holder: Option<UserId>,
}

impl World {
    async fn new() -> Self {
        let (store, lost_responses) = database::store().await;
        // Every deadline passes immediately: the steps decide when the timers run.
        let zero = SignedDuration::ZERO;
        let timers = Timers { unpaid: zero, unclaimed: zero, unreviewed: zero };
        let person = |(name, role): (&str, Role)| Caller {
            id: UserId::derived(&[name]),
            username: Username::parse(name).unwrap(),
            role,
            active: true,
        };
        Self {
            timers_context: OrderTimers { store: store.clone(), timers },
            payments: PaymentService { store, stripe: FakeStripe::default(), timers },
            lost_responses,
            people: PEOPLE.map(person).to_vec(),
        }
    }

    async fn place(&self) -> Order {
        let new = NewService {
            name: Name::parse("Logo").unwrap(),
            description: Description::parse("").unwrap(),
            category: Category::parse("Design").unwrap(),
            price: Price::parse(Money::new(PRICE, Currency::USD)).unwrap(),
        };
        let now = Timestamp::now();
        let service = Service::new(ServiceId::derived(&["logo"]), new, now);
        let id = OrderId::for_request(None, Uuid::now_v7());
        let order = Order::place(
            id,
            &service,
            ActorContext::user(&self.people[0], now),
            &self.payments.timers,
        )
        .unwrap();
        self.payments.store.place_order(&order).await.unwrap();
        order
    }
}

impl Run<'_> {
    fn current(&self) -> &Order {
        self.seen.last().unwrap()
    }

    async fn step(&mut self, step: &Step) {
        let order = self.seen[self.seen.len().saturating_sub(1 + step.behind)].clone();
        self.world.payments.stripe.set_fault(step.fault);
        self.world.lost_responses.lose_next(step.lost_responses);
        self.perform(order, &step.action).await;
        self.world.payments.stripe.set_fault(CallFault::None);
        self.world.lost_responses.lose_next(0);
        self.check_invariants().await;
    }

    async fn perform(&mut self, order: Order, action: &Action) {
        let payments = &self.world.payments;
        match action {
            Action::Transition { who, transition, key, new_worker } => {
                let caller = self.world.people[*who].clone();
                let worker = new_worker.filter(|_| *transition == Transition::Reassign);
                let worker = worker.map(|named| self.world.people[named].clone());
                let request = format!("{transition} {worker:?}");
                let key = key.map(|key| {
                    Idempotency::new(&caller.id, "test", &key.to_string(), &[request.as_bytes()])
                });
                let command = TransitionCommand {
                    transition: *transition,
                    caller,
                    note: Note::parse("x").ok(),
                    worker,
                    key,
                };
                let outcome = self.execute(order.clone(), &command).await;
                if command.key.is_some() && outcome.is_some() {
                    let again = self.execute(order, &command).await;
                    assert_eq!(
                        again,
                        outcome.map(|(order, _)| (order, true)),
                        "a retry with the same key gets the first response"
                    );
                }
            }
            Action::StartPayment => {
                let client = &self.world.people[0];
                if order.check_payable(client).is_ok() {
                    // It may fail: Stripe may be down.
                    drop(
                        payments
                            .ensure_intent(order, &ActorContext::user(client, Timestamp::now()))
                            .await,
                    );
                }
            }
            Action::Stripe(change) => payments.stripe.apply(&order, *change),
            Action::SyncPayment => {
                for intent in payments.stripe.of(&order).0 {
                    payments.sync_intent(&intent, true).await.unwrap();
                }
            }
            Action::Settle => drop(payments.settle(order).await),
            Action::RunTimers => {
                timers::handle(&self.world.timers_context, Value::Null).await.unwrap();
            }
        }
    }

    /// Makes a transition as its endpoint does, and checks the response against the model. Returns
    /// the order, and whether an earlier request with the same key had made the transition. Returns
    /// `None` if the transition is refused.
    async fn execute(
        &mut self,
        order: Order,
        command: &TransitionCommand,
    ) -> Option<(Order, bool)> {
        let payments = &self.world.payments;
        let (store, timers, any_version) = (&payments.store, &payments.timers, |_| Ok(()));
        let outcome = match command.transition {
            Transition::Cancel => {
                let cancel_intent = CancelIntent::new(&payments.stripe);
                command.execute(store, timers, order, any_version, cancel_intent).await
            }
            _ => command.execute(store, timers, order, any_version, ()).await,
        };
        let order = match outcome {
            Err(_) => return None,
            Ok(TransitionOutcome::Replayed(order)) => return Some((order, true)),
            Ok(TransitionOutcome::Applied(order)) => order,
        };
        match command.transition {
            Transition::Accept => {
                assert_eq!(self.holder.replace(command.caller.id.clone()), None, "two workers");
            }
            Transition::Release => {
                assert_eq!(
                    self.holder.take(),
                    Some(command.caller.id.clone()),
                    "a worker released an order that another one has"
                );
            }
            Transition::Reassign => {
                self.holder = command.worker.as_ref().map(|worker| worker.id.clone())
            }
            _ => {}
        }
        Some((order, false))
    }

    /// Reads the order and checks the invariants.
    async fn check_invariants(&mut self) {
        let before = self.current().clone();
        let after = self.world.payments.store.order(&before.id).await.unwrap().unwrap();
        assert_eq!(after.history.len() as u64, after.version);
        assert!(
            after.history.iter().zip(1..).all(|(event, n)| event.n == n),
            "numbered without gaps"
        );
        assert_eq!(
            after.history[..before.history.len()],
            before.history,
            "history is only added to"
        );
        for pair in after.history.windows(2) {
            let (from, to) = (pair[0].status, pair[1].status);
            let by_table =
                |rule: &shared::domain::order::Rule| rule.from == Some(from) && rule.to == to;
            assert!(from == to || TABLE.iter().any(by_table), "{from} to {to}");
        }
        if !matches!(after.status, Status::Canceled | Status::Completed) {
            assert_eq!(
                after.worker.as_ref().map(|worker| worker.id.clone()),
                self.holder,
                "{}",
                after.status
            );
        }
        let (intents, charges, _) = self.world.payments.stripe.of(&after);
        assert!(intents.len() <= 1, "one order, one intent: {intents:?}");
        assert!(charges <= 1, "charged twice");
        let entries = after.ledger.entries();
        assert_eq!(
            entries.iter().map(|entry| entry.money.amount).sum::<i64>(),
            after.ledger.balance()
        );
        assert!((0..=PRICE).contains(&after.ledger.balance()), "{}", after.ledger.balance());
        assert!(!after.is_charged() || charges == 1);
        if after != before {
            self.seen.push(after);
        }
    }

    /// Lets Stripe and the functions finish, then checks that every payment belongs to an order in
    /// progress, was refunded, or is on the administrators' attention list.
    async fn settle_and_check(&mut self) {
        // Each round attempts a refund once, and three attempts are the most. 12 rounds are enough.
        for _ in 0..12 {
            let version = self.current().version;
            for action in [
                Action::Stripe(StripeChange::Succeeds),
                Action::Stripe(StripeChange::RefundSucceeds),
                Action::SyncPayment,
                Action::Settle,
            ] {
                let order = self.current().clone();
                self.perform(order, &action).await;
            }
            self.check_invariants().await;
            if self.current().version == version {
                break;
            }
        }
        let order = self.current();
        let (_, charges, held) = self.world.payments.stripe.of(order);
        assert_eq!(order.is_charged(), charges == 1, "what was paid is known");
        assert_eq!(order.ledger.balance(), held, "the ledger is what Stripe has");
        let settled = match order.status {
            Status::Pending => charges == 0,
            Status::Canceled if charges == 0 => order.stripe_action().is_none(),
            Status::Canceled => {
                order.payment_status == PaymentStatus::Refunded || !order.attention().is_empty()
            }
            _ => order.is_funded(),
        };
        assert!(settled, "{order:#?}");
    }
}

#[test]
fn whatever_happens_concurrently_an_order_has_one_worker_and_one_charge_and_loses_no_money() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let world = runtime.block_on(World::new());
    // PROPTEST_CASES=5000 for a long run.
    let cases =
        std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(150);
    let config =
        Config { cases, max_shrink_iters: 500, failure_persistence: None, ..Config::default() };
    let run = |steps: Vec<Step>| {
        runtime.block_on(async {
            let order = world.place().await;
            let mut run = Run { world: &world, seen: vec![order], holder: None };
            for step in &steps {
                run.step(step).await;
            }
            run.settle_and_check().await;
        });
        Ok(())
    };
    TestRunner::new(config).run(&steps(), run).unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn when_200_workers_accept_at_once_one_gets_the_order_and_199_are_refused() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let world = World::new().await;
        let mut run = Run { world: &world, seen: vec![world.place().await], holder: None };
        for action in
            [Action::StartPayment, Action::Stripe(StripeChange::Pays), Action::SyncPayment]
        {
            run.perform(run.current().clone(), &action).await;
            run.check_invariants().await;
        }
        let open = run.current().clone();
        let (store, timers) = (&world.payments.store, &world.payments.timers);
        let claims = (0..200).map(|n| {
            let name = format!("worker{n}");
            let caller = Caller {
                id: UserId::derived(&[&name]),
                username: Username::parse(&name).unwrap(),
                role: Role::Worker,
                active: true,
            };
            let command = TransitionCommand {
                transition: Transition::Accept,
                caller,
                note: None,
                worker: None,
                key: None,
            };
            let open = open.clone();
            // All of them read the order before the first one writes.
            async move { command.execute(store, timers, open, |_| Ok(()), ()).await }
        });
        let answers = futures::future::join_all(claims).await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
        assert_eq!((won.len(), lost.len()), (1, 199));
        assert!(lost.iter().all(|answer| {
            answer.as_ref().is_err_and(|error| error.is(&catalogue::ILLEGAL_TRANSITION))
        }));
        let Ok(TransitionOutcome::Applied(order)) = &won[0] else { panic!("{won:?}") };
        assert_eq!(world.payments.store.order(&open.id).await.unwrap().as_ref(), Some(order));
    });
}

/// With `DYNAMODB_URL`, this runs on DynamoDB Local and shows that DynamoDB accepts these queries.
#[test]
fn scheduled_functions_find_the_orders_payments_and_events_that_are_due() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let world = World::new().await;
        let mut run = Run { world: &world, seen: vec![world.place().await], holder: None };
        run.step(&Step {
            action: Action::StartPayment,
            behind: 0,
            fault: CallFault::None,
            lost_responses: 0,
        })
        .await;
        let order = run.current().clone();
        let store = &world.payments.store;
        let event = StripeEvent::received(
            br#"{"id": "evt_1", "type": "charge.updated"}"#,
            Timestamp::now(),
        );
        store.receive_event(&event).await.unwrap();

        let until = Timestamp::now();
        let due: Vec<Order> = store.due_orders(until).try_collect().await.unwrap();
        assert_eq!(due.iter().map(|due| &due.id).collect::<Vec<_>>(), [&order.id]);
        let unsettled: Vec<Order> =
            store.orders_with_unsettled_money(until).try_collect().await.unwrap();
        assert_eq!(unsettled.iter().map(|order| &order.id).collect::<Vec<_>>(), [&order.id]);
        let pending: Vec<StripeEvent> = store.pending_events(until).try_collect().await.unwrap();
        assert_eq!(pending.iter().map(|pending| &pending.id).collect::<Vec<_>>(), [&event.id]);

        let report = timers::handle(&world.timers_context, Value::Null).await.unwrap();
        let report = serde_json::to_value(report).unwrap();
        assert_eq!(report["canceled"], 1, "{report}");
    });
}
