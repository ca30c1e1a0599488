use super::super::Live;
use super::super::testing::{Recorder, append, bring, entries, fan_out, hello, live, socket, user};
use crate::domain::feed::Feed;
use crate::domain::user::Role;

const FEED: Feed = Feed::Role(Role::Client);

/// So many sockets of one client, live, named c00, c01, ...
async fn sockets(live: &Live<Recorder>, count: usize) -> Vec<String> {
    let ann = user(live, "ann", Role::Client, &[]).await;
    let names: Vec<_> = (0..count).map(|n| format!("c{n:02}")).collect();
    for name in &names {
        socket(live, &ann, name).await;
        hello(live, name, &[]).await.unwrap();
    }
    names
}

/// Appends these entries, and has them brought to their sockets or asked for.
async fn tell(live: &Live<Recorder>, threshold: usize, numbers: std::ops::RangeInclusive<u64>) {
    append(live, &FEED, numbers.clone()).await;
    assert!(fan_out(live, threshold).deliver(entries(live, &FEED, numbers).await).await.is_empty());
}

#[tokio::test]
async fn a_feed_with_many_sockets_is_pushed_shard_by_shard_and_each_socket_gets_each_entry_once_and_in_order()
 {
    let live = live().await;
    let names = sockets(&live, 12).await;
    tell(&live, 12, 1..=2).await;
    assert!(names.iter().all(|name| live.push.numbers(name, &FEED) == [1, 2]), "few: directly");

    tell(&live, 11, 3..=3).await;
    assert!(names.iter().all(|name| live.push.numbers(name, &FEED) == [1, 2]), "many: asked for");
    // Before that is done, the next entries come, and most sockets go: the feed stays as it is, for
    // the order of its entries.
    for name in &names[3..] {
        live.push.vanish(name);
    }
    tell(&live, 11, 4..=5).await;
    bring(&live, &FEED).await;
    tell(&live, 11, 6..=6).await;
    bring(&live, &FEED).await;
    for name in &names[..3] {
        assert_eq!(live.push.numbers(name, &FEED), [1, 2, 3, 4, 5, 6], "{name}");
    }
    for name in &names[3..] {
        assert_eq!(
            live.connections.connection(name).await.unwrap(),
            None,
            "{name} is gone and forgotten"
        );
        assert_eq!(live.connections.subscription(&FEED, name).await.unwrap(), None);
    }
}

#[tokio::test]
async fn what_is_asked_twice_late_or_out_of_order_is_done_once() {
    let live = live().await;
    let names = sockets(&live, 9).await;
    tell(&live, 0, 1..=3).await;
    bring(&live, &FEED).await;
    // The stream repeats itself, and Lambda its invocations.
    let again = fan_out(&live, 0).deliver(entries(&live, &FEED, 1..=2).await).await;
    assert!(again.is_empty());
    bring(&live, &FEED).await;
    bring(&live, &FEED).await;
    let table = fan_out(&live, 0).table;
    table.ask(&FEED, 2).await.unwrap();
    assert_eq!(table.shard(&FEED, 0).await.unwrap().unwrap().0.last, 3, "what is due only grows");
    bring(&live, &FEED).await;
    for name in &names {
        assert_eq!(live.push.numbers(name, &FEED), [1, 2, 3], "{name}");
    }
}

/// However two invocations at the same shards take turns.
#[tokio::test]
async fn two_invocations_at_one_shard_lose_nothing_and_keep_the_order() {
    let live = live().await;
    let names = sockets(&live, 24).await;
    tell(&live, 0, 1..=4).await;
    futures::join!(bring(&live, &FEED), bring(&live, &FEED), bring(&live, &FEED));
    tell(&live, 0, 5..=5).await;
    futures::join!(bring(&live, &FEED), bring(&live, &FEED));
    for name in &names {
        let mut last = 0;
        for seq in live.push.numbers(name, &FEED) {
            assert!(seq <= last + 1, "{name} gets {seq} after {last}");
            last = last.max(seq);
        }
        assert_eq!(last, 5, "{name}");
    }
}

#[tokio::test]
async fn a_client_that_says_hello_while_its_shard_is_behind_gets_each_entry_once() {
    let live = live().await;
    sockets(&live, 3).await;
    tell(&live, 0, 1..=3).await;
    let bob = user(&live, "bob", Role::Client, &[]).await;
    socket(&live, &bob, "d").await;
    hello(&live, "d", &[(&FEED, 1)]).await.unwrap();
    assert_eq!(
        live.push.numbers("d", &FEED),
        [2, 3],
        "hello reads the feed, whatever the shards are at"
    );
    socket(&live, &bob, "e").await;
    let gate = live.push.hold_up("e", 1);
    let meanwhile = async {
        gate.reached().await;
        tell(&live, 0, 4..=4).await;
        bring(&live, &FEED).await;
        assert_eq!(live.push.numbers("e", &FEED), Vec::<u64>::new(), "it is left to hello");
        gate.open();
    };
    let after = [(&FEED, 0)];
    let (said, ()) = tokio::join!(hello(&live, "e", &after), meanwhile);
    said.unwrap();
    tell(&live, 0, 5..=5).await;
    bring(&live, &FEED).await;
    assert_eq!(live.push.numbers("d", &FEED), [2, 3, 4, 5]);
    assert_eq!(live.push.numbers("e", &FEED), [1, 2, 3, 4, 5]);
}
