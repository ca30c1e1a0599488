//! Crashes `live-notify`, `live-fan-out` and `live-catch-up` at every step, and makes every step
//! report a failure although it took effect. Each time the stream delivers again, and in the end
//! each feed has each event once and in order, and each socket has received its feeds.

mod faults;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use aws_lambda_events::dynamodb::EventRecord;
use jiff::Timestamp;
use serde_json::json;
use shared::domain::feed::{EntryKind, Feed};
use shared::domain::ids::{
    BroadcastId, ChargeId, EntryId, MessageId, OrderId, PaymentIntentId, ServiceId, UserId,
};
use shared::domain::money::{Currency, Money, Price};
use shared::domain::order::{
    ActorContext, Order, PaymentFact, PaymentFactKind, Timers, Transition,
};
use shared::domain::service::{NewService, Service};
use shared::domain::text::{Category, Description, MessageText, Name};
use shared::domain::user::{Caller, Person, Role, User};
use shared::store::{Broadcast, Message, NewEntry};

use crate::live::entry;
use faults::Fault;
use world::{World, changed, inserted};

/// An order at each step: placed, paid, accepted by one worker, released, accepted by the other.
fn order(round: &str, client: &User, workers: [&User; 2]) -> Vec<Order> {
    let (now, timers) = (Timestamp::now(), Timers::default());
    let price = Money::new(1999, Currency::USD);
    let new = NewService {
        name: Name::parse("Logo").unwrap(),
        description: Description::parse("").unwrap(),
        category: Category::parse("Design").unwrap(),
        price: Price::parse(price).unwrap(),
    };
    let service = Service::new(ServiceId::derived(&["logo"]), new, now);
    let by = |user: &User| ActorContext::user(&Caller::from(user), now);
    let mut orders =
        vec![Order::place(OrderId::derived(&[round]), &service, by(client), &timers).unwrap()];
    let kind = PaymentFactKind::Succeeded {
        charge: ChargeId::parse("ch_1").unwrap(),
        amount: price,
        fee: None,
    };
    let fact = PaymentFact { intent: PaymentIntentId::parse("pi_1").unwrap(), kind };
    orders.push(orders[0].apply_payment_fact(&fact, now, &timers).unwrap().unwrap());
    for (transition, worker) in [
        (Transition::Accept, workers[0]),
        (Transition::Release, workers[0]),
        (Transition::Accept, workers[1]),
    ] {
        let next = orders.last().unwrap().transition(transition, by(worker), &timers).unwrap();
        orders.push(next);
    }
    orders
}

fn message(round: &str, order: &Order, from: &User, to: &UserId) -> Message {
    Message {
        id: MessageId::derived(&[round]),
        order_id: order.id.clone(),
        from: Person::from(&Caller::from(from)),
        to: to.clone(),
        worker: to.clone(),
        text: MessageText::parse("Hello!").unwrap(),
        created_at: Timestamp::now(),
        created_by: None,
    }
}

/// What a round puts on the stream, and what each feed must then contain, in the order of the
/// events.
fn round(
    name: &str,
    client: &User,
    workers: [&User; 2],
) -> (Vec<EventRecord>, Vec<Vec<(Feed, NewEntry)>>) {
    let versions = order(name, client, workers);
    let last = versions.last().unwrap();
    let (first_message, second_message) = (
        message(&format!("{name}a"), last, client, &workers[1].id),
        message(&format!("{name}b"), last, client, &workers[1].id),
    );
    let broadcast = Broadcast {
        id: BroadcastId::derived(&[name]),
        role: Role::Worker,
        text: MessageText::parse("Lunch!").unwrap(),
        by: client.id.clone(),
        created_at: Timestamp::now(),
        created_by: None,
    };
    let mut records = vec![inserted(&versions[0])];
    records.extend(versions.windows(2).map(|pair| changed(&pair[0], &pair[1])));
    records.insert(3, inserted(&broadcast));
    records.extend([inserted(&first_message), inserted(&second_message)]);
    let messages = vec![
        entry::of_message(&first_message).unwrap(),
        entry::of_message(&second_message).unwrap(),
    ];
    (
        records,
        vec![entry::of_order(last, 0).unwrap(), messages, vec![entry::of_broadcast(&broadcast)]],
    )
}

/// Runs rounds with the fault at the first step, the second, and so on, until no step is left.
async fn notify_with_each_fault(fault: Fault) {
    let mut world = World::new(100).await;
    let client = world.user("carol", Role::Client, &[]).await;
    let (walter, wanda) = (
        world.user("walter", Role::Worker, &["Design"]).await,
        world.user("wanda", Role::Worker, &[]).await,
    );
    let people = [(&client, "c"), (&walter, "w"), (&wanda, "x")];
    for (user, socket) in people {
        world.socket(user, socket).await;
    }
    let feeds: BTreeSet<Feed> = people.iter().flat_map(|(user, _)| Feed::of(user)).collect();
    let mut heads: BTreeMap<Feed, u64> = BTreeMap::new();
    for step in 1.. {
        let (records, causes) = round(&format!("{fault:?} {step}"), &client, [&walter, &wanda]);
        world.faults.plan(step, fault);
        // In every other round one socket accepts nothing at first.
        world.set_slow_socket((step % 2 == 0).then_some("w"));
        world.deliver(records, &feeds).await;
        let happened = world.faults.take_outcome();
        world.set_slow_socket(None);
        assert_eq!(
            world.catch_up().await > 0,
            step % 2 == 0,
            "step {step}: who was slow is caught up"
        );
        for feed in &feeds {
            let head = heads.entry(feed.clone()).or_default();
            let new = world.entries(feed, *head).await;
            let numbers: Vec<_> = new.iter().map(|entry| entry.seq).collect();
            assert_eq!(
                numbers,
                (*head + 1..=*head + numbers.len() as u64).collect::<Vec<_>>(),
                "step {step}: {feed}"
            );
            let in_feed = |entries: &Vec<(Feed, NewEntry)>| -> Vec<EntryId> {
                entries
                    .iter()
                    .filter(|(to, _)| to == feed)
                    .map(|(_, draft)| draft.id.clone())
                    .collect()
            };
            let expected: Vec<_> = causes.iter().map(in_feed).collect();
            assert_eq!(
                new.len(),
                expected.iter().map(Vec::len).sum::<usize>(),
                "step {step}: each once in {feed}"
            );
            for expected in &expected {
                let found: Vec<_> = new
                    .iter()
                    .map(|entry| entry.id.clone())
                    .filter(|id| expected.contains(id))
                    .collect();
                assert_eq!(
                    &found, expected,
                    "step {step}: the order of one cause's events in {feed}"
                );
            }
            *head += new.len() as u64;
        }
        for (user, socket) in people {
            let own = Feed::of(user)
                .into_iter()
                .map(|feed| (feed.to_string(), heads[&feed]))
                .filter(|(_, head)| *head > 0);
            assert_eq!(
                world.received(socket).0,
                own.collect::<BTreeMap<_, _>>(),
                "step {step}: {}",
                user.username
            );
        }
        if !happened {
            assert!(step > 20, "a round has more steps than {step}");
            return;
        }
    }
}

#[tokio::test]
async fn live_notify_survives_a_crash_at_any_step() {
    notify_with_each_fault(Fault::ProcessDies).await;
}

#[tokio::test]
async fn live_notify_survives_a_lost_response_at_any_step() {
    notify_with_each_fault(Fault::ResponseLost).await;
}

/// Two of three sockets lag behind and are caught up with a fault at the first step, the second,
/// and so on, while the third keeps up.
async fn catch_up_with_each_fault(fault: Fault) {
    let mut world = World::new(100).await;
    let client = world.user("carol", Role::Client, &[]).await;
    let feed = Feed::Role(Role::Client);
    for socket in ["a", "b", "c"] {
        world.socket(&client, socket).await;
    }
    let mut head = 0;
    for step in 1.. {
        for slow in ["a", "b"] {
            world.set_slow_socket(Some(slow));
            let drafts = [1, 2].map(|n| {
                let id = EntryId::derived(&[&format!("{fault:?} {step} {slow} {n}")]);
                NewEntry { kind: EntryKind::Broadcast, id, at: Timestamp::now(), data: json!({}) }
            });
            world.fan_out.live.store.append(&feed, &drafts).await.unwrap();
            assert!(world.fan_out.deliver(world.entries(&feed, head).await).await.is_empty());
            head += 2;
        }
        world.set_slow_socket(None);
        world.faults.plan(step, fault);
        assert_eq!(world.catch_up().await, 2);
        let happened = world.faults.take_outcome();
        for socket in ["a", "b", "c"] {
            assert_eq!(
                world.received(socket).0,
                BTreeMap::from([(feed.to_string(), head)]),
                "step {step}: {socket}"
            );
        }
        if !happened {
            assert!(step > 6, "a catch-up has more steps than {step}");
            return;
        }
    }
}

#[tokio::test]
async fn live_catch_up_survives_a_crash_at_any_step() {
    catch_up_with_each_fault(Fault::ProcessDies).await;
}

#[tokio::test]
async fn live_catch_up_survives_a_lost_response_at_any_step() {
    catch_up_with_each_fault(Fault::ResponseLost).await;
}

/// Returns a name in this shard: names whose last bytes are equal modulo 8 share a shard.
const SHARD: u8 = b'a' % 8;
const ONE_SHARD: [&str; 5] = ["a", "i", "q", "y", "I"];

async fn fan_out_with_each_fault(fault: Fault) {
    let world = World::new(0).await;
    let (client, feed) = (world.user("carol", Role::Client, &[]).await, Feed::Role(Role::Client));
    for socket in ONE_SHARD {
        world.socket(&client, socket).await;
    }
    let mut head = 0;
    for step in 1.. {
        let drafts = [1, 2].map(|n| {
            let id = EntryId::derived(&[&format!("{fault:?} {step} {n}")]);
            NewEntry { kind: EntryKind::Broadcast, id, at: Timestamp::now(), data: json!({}) }
        });
        world.fan_out.live.store.append(&feed, &drafts).await.unwrap();
        assert!(world.fan_out.deliver(world.entries(&feed, head).await).await.is_empty());
        head += 2;
        let before: usize = ONE_SHARD.iter().map(|socket| world.received(socket).1).sum();
        world.faults.plan(step, fault);
        loop {
            world.faults.start();
            let brought = tokio::select! {
                biased;
                () = world.faults.death() => false,
                brought = world.fan_out.drain_shard(&feed, SHARD) => brought.is_ok(),
            };
            world.faults.stop();
            if brought {
                break;
            }
        }
        let happened = world.faults.take_outcome();
        // The record is delivered again although everything is done.
        world.fan_out.drain_shard(&feed, SHARD).await.unwrap();
        for socket in ONE_SHARD {
            assert_eq!(
                world.received(socket).0,
                BTreeMap::from([(feed.to_string(), head)]),
                "step {step}: {socket}"
            );
        }
        let again = ONE_SHARD.iter().map(|socket| world.received(socket).1).sum::<usize>() - before;
        assert!(
            again <= world.fan_out.page * 2,
            "step {step}: {again} frames came twice, more than a page's"
        );
        assert!(happened || again == 0, "nothing comes twice when nothing dies");
        if !happened {
            assert!(step > 8, "a shard has more steps than {step}");
            return;
        }
    }
}

#[tokio::test]
async fn live_fan_out_survives_a_crash_at_any_step() {
    fan_out_with_each_fault(Fault::ProcessDies).await;
}

#[tokio::test]
async fn live_fan_out_survives_a_lost_response_at_any_step() {
    fan_out_with_each_fault(Fault::ResponseLost).await;
}
