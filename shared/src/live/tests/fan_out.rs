use super::super::LiveService;
use super::super::testing::{
    Recorder, append, drain_shards, entries, fan_out, hello, live, socket, user,
};
use crate::domain::feed::Feed;
use crate::domain::user::Role;

const FEED: Feed = Feed::Role(Role::Client);

/// Opens this many live sockets of one client, named c00, c01, ...
async fn sockets(live: &LiveService<Recorder>, count: usize) -> Vec<String> {
    let ann = user(live, "ann", Role::Client, &[]).await;
    let names: Vec<_> = (0..count).map(|n| format!("c{n:02}")).collect();
    for name in &names {
        socket(live, &ann, name).await;
        hello(live, name, &[]).await.unwrap();
    }
    names
}

/// Appends these entries, and pushes them or requests their push.
async fn append_and_deliver(
    live: &LiveService<Recorder>,
    threshold: usize,
    numbers: std::ops::RangeInclusive<u64>,
) {
    append(live, &FEED, numbers.clone()).await;
    assert!(fan_out(live, threshold).deliver(entries(live, &FEED, numbers).await).await.is_empty());
}

#[tokio::test]
async fn a_wide_feed_is_pushed_by_shard_and_sockets_get_each_entry_once_in_order() {
    let live = live().await;
    let names = sockets(&live, 12).await;
    append_and_deliver(&live, 12, 1..=2).await;
    assert!(names.iter().all(|name| live.push.numbers(name, &FEED) == [1, 2]), "pushed directly");

    append_and_deliver(&live, 11, 3..=3).await;
    assert!(names.iter().all(|name| live.push.numbers(name, &FEED) == [1, 2]), "only requested");
    // More entries are appended and most sockets disconnect before the shards are drained. The feed
    // stays wide, to keep the order of its entries.
    for name in &names[3..] {
        live.push.disconnect(name);
    }
    append_and_deliver(&live, 11, 4..=5).await;
    drain_shards(&live, &FEED).await;
    append_and_deliver(&live, 11, 6..=6).await;
    drain_shards(&live, &FEED).await;
    for name in &names[..3] {
        assert_eq!(live.push.numbers(name, &FEED), [1, 2, 3, 4, 5, 6], "{name}");
    }
    for name in &names[3..] {
        assert_eq!(live.connections.connection(name).await.unwrap(), None, "{name} is deleted");
        assert_eq!(live.connections.subscription(&FEED, name).await.unwrap(), None);
    }
}

#[tokio::test]
async fn repeated_late_and_out_of_order_requests_push_each_entry_once() {
    let live = live().await;
    let names = sockets(&live, 9).await;
    append_and_deliver(&live, 0, 1..=3).await;
    drain_shards(&live, &FEED).await;
    // Streams can repeat records, and Lambda can repeat invocations.
    let failures = fan_out(&live, 0).deliver(entries(&live, &FEED, 1..=2).await).await;
    assert!(failures.is_empty());
    drain_shards(&live, &FEED).await;
    drain_shards(&live, &FEED).await;
    let table = fan_out(&live, 0).table;
    table.request_push(&FEED, 2).await.unwrap();
    assert_eq!(table.shard(&FEED, 0).await.unwrap().unwrap().0.last, 3, "the target only grows");
    drain_shards(&live, &FEED).await;
    for name in &names {
        assert_eq!(live.push.numbers(name, &FEED), [1, 2, 3], "{name}");
    }
}

/// The invocations may take turns in any order.
#[tokio::test]
async fn concurrent_invocations_on_a_shard_lose_nothing_and_keep_the_order() {
    let live = live().await;
    let names = sockets(&live, 24).await;
    append_and_deliver(&live, 0, 1..=4).await;
    futures::join!(
        drain_shards(&live, &FEED),
        drain_shards(&live, &FEED),
        drain_shards(&live, &FEED)
    );
    append_and_deliver(&live, 0, 5..=5).await;
    futures::join!(drain_shards(&live, &FEED), drain_shards(&live, &FEED));
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
async fn a_hello_while_its_shard_is_behind_gets_each_entry_once() {
    let live = live().await;
    sockets(&live, 3).await;
    append_and_deliver(&live, 0, 1..=3).await;
    let bob = user(&live, "bob", Role::Client, &[]).await;
    socket(&live, &bob, "d").await;
    hello(&live, "d", &[(&FEED, 1)]).await.unwrap();
    assert_eq!(
        live.push.numbers("d", &FEED),
        [2, 3],
        "a hello reads the feed, regardless of the shards"
    );
    socket(&live, &bob, "e").await;
    let gate = live.push.hold_up("e", 1);
    let meanwhile = async {
        gate.reached().await;
        append_and_deliver(&live, 0, 4..=4).await;
        drain_shards(&live, &FEED).await;
        assert_eq!(
            live.push.numbers("e", &FEED),
            Vec::<u64>::new(),
            "the push leaves the entries to the hello"
        );
        gate.open();
    };
    let after = [(&FEED, 0)];
    let (hello_result, ()) = tokio::join!(hello(&live, "e", &after), meanwhile);
    hello_result.unwrap();
    append_and_deliver(&live, 0, 5..=5).await;
    drain_shards(&live, &FEED).await;
    assert_eq!(live.push.numbers("d", &FEED), [2, 3, 4, 5]);
    assert_eq!(live.push.numbers("e", &FEED), [1, 2, 3, 4, 5]);
}
