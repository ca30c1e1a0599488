use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::super::LiveService;
use super::super::testing::{
    Recorder, append, catch_up, deliver, drain_shards, entries, fan_out, hello, live, socket, user,
};
use crate::domain::feed::Feed;
use crate::domain::user::Role;

const FEED: Feed = Feed::Role(Role::Client);
const NAMES: [&str; 4] = ["c0", "c1", "c2", "c3"];

/// Opens live sockets of one client and pushes entries 1 and 2 to all of them.
async fn sockets() -> LiveService<Recorder> {
    let live = live().await;
    let ann = user(&live, "ann", Role::Client, &[]).await;
    for name in NAMES {
        socket(&live, &ann, name).await;
        hello(&live, name, &[]).await.unwrap();
    }
    append_and_deliver(&live, 1..=2).await;
    live
}

async fn append_and_deliver(live: &LiveService<Recorder>, numbers: std::ops::RangeInclusive<u64>) {
    append(live, &FEED, numbers.clone()).await;
    deliver(live, entries(live, &FEED, numbers).await).await;
}

#[tokio::test]
async fn a_slow_socket_lags_and_the_others_continue() {
    let live = sockets().await;
    live.push.stall("c1");
    for numbers in [3..=4, 5..=5, 6..=7] {
        append_and_deliver(&live, numbers).await;
    }
    for name in ["c0", "c2", "c3"] {
        assert_eq!(live.push.numbers(name, &FEED), [1, 2, 3, 4, 5, 6, 7], "{name}");
    }
    assert!(live.push.closed().is_empty(), "the socket may just be throttled");
    let lagging = live.connections.subscription(&FEED, "c1").await.unwrap().unwrap();
    assert_eq!((lagging.from, lagging.behind, lagging.skipped), (None, Some(2), Some(7)));
    let request = fan_out(&live, 1000).table.lagging_socket_for_test(&FEED, "c1").await.unwrap();
    assert_eq!((request.hold, request.ends_at), (lagging.hold, lagging.ends_at));

    live.push.recover("c1");
    catch_up(&live, &FEED, "c1").await;
    assert_eq!(live.push.numbers("c1", &FEED), [1, 2, 3, 4, 5, 6, 7]);
    append_and_deliver(&live, 8..=8).await;
    catch_up(&live, &FEED, "c1").await;
    for name in NAMES {
        assert_eq!(
            live.push.numbers(name, &FEED),
            [1, 2, 3, 4, 5, 6, 7, 8],
            "{name} gets pushes as before"
        );
    }
}

#[tokio::test]
async fn a_socket_that_is_slow_with_each_of_many_entries_lags() {
    let live = sockets().await;
    live.push.slow_down("c1", Duration::from_millis(400));
    append_and_deliver(&live, 3..=22).await;
    let all: Vec<_> = (1..=22).collect();
    assert_eq!(live.push.numbers("c0", &FEED), all);
    let received = live.push.numbers("c1", &FEED);
    assert!(received.len() < 15 && received == all[..received.len()], "{received:?}");
    live.push.recover("c1");
    catch_up(&live, &FEED, "c1").await;
    assert_eq!(live.push.numbers("c1", &FEED), all);
}

#[tokio::test]
async fn a_socket_that_cannot_be_caught_up_is_closed_or_at_least_deleted() {
    let live = sockets().await;
    live.push.stall("c1");
    live.push.hang("c2");
    append_and_deliver(&live, 3..=3).await;
    for name in ["c1", "c2"] {
        catch_up(&live, &FEED, name).await;
        assert_eq!(live.connections.connection(name).await.unwrap(), None, "{name}");
        assert_eq!(
            live.connections.subscription(&FEED, name).await.unwrap(),
            None,
            "{name}: its subscription is gone too"
        );
    }
    assert_eq!(live.push.closed(), ["c1"], "a socket that misses an entry is closed if possible");
    // A repeated request does nothing.
    catch_up(&live, &FEED, "c1").await;
    assert_eq!(live.push.closed(), ["c1"]);
}

#[tokio::test]
async fn entries_pushed_during_a_catch_up_arrive_once_and_after_it() {
    let live = sockets().await;
    live.push.stall("c1");
    append_and_deliver(&live, 3..=4).await;
    live.push.recover("c1");
    let gate = live.push.hold_up("c1", 4);
    let meanwhile = async {
        gate.reached().await;
        append_and_deliver(&live, 5..=6).await;
        assert_eq!(
            live.push.numbers("c1", &FEED),
            [1, 2, 3],
            "the push leaves the entries to the catch-up"
        );
        gate.open();
    };
    tokio::join!(catch_up(&live, &FEED, "c1"), meanwhile);
    assert_eq!(live.push.numbers("c1", &FEED), [1, 2, 3, 4, 5, 6]);
}

#[tokio::test]
async fn a_hello_takes_over_from_a_catch_up() {
    let live = sockets().await;
    live.push.stall("c1");
    append_and_deliver(&live, 3..=3).await;
    live.push.recover("c1");
    let gate = live.push.hold_up("c1", 3);
    let meanwhile = async {
        gate.reached().await;
        hello(&live, "c1", &[(&FEED, 2)]).await.unwrap();
        gate.open();
    };
    tokio::join!(catch_up(&live, &FEED, "c1"), meanwhile);
    append_and_deliver(&live, 4..=4).await;
    // Both may send an entry. The client drops the one it already has.
    assert_eq!(live.push.numbers("c1", &FEED), [1, 2, 3, 3, 4]);
    let subscription = live.connections.subscription(&FEED, "c1").await.unwrap().unwrap();
    assert_eq!((subscription.from, subscription.behind), (Some(3), None));
}

#[tokio::test]
async fn a_slow_socket_of_a_wide_feed_lags_while_its_shard_continues() {
    let live = sockets().await;
    live.push.stall("c1");
    append(&live, &FEED, 3..=4).await;
    assert!(fan_out(&live, 0).deliver(entries(&live, &FEED, 3..=4).await).await.is_empty());
    drain_shards(&live, &FEED).await;
    live.push.recover("c1");
    append(&live, &FEED, 5..=5).await;
    assert!(fan_out(&live, 0).deliver(entries(&live, &FEED, 5..=5).await).await.is_empty());
    drain_shards(&live, &FEED).await;
    assert_eq!(live.push.numbers("c0", &FEED), [1, 2, 3, 4, 5]);
    assert_eq!(live.push.numbers("c1", &FEED), [1, 2], "only the catch-up pushes to it");
    catch_up(&live, &FEED, "c1").await;
    assert_eq!(live.push.numbers("c1", &FEED), [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn a_socket_whose_catch_up_never_ran_is_eventually_closed() {
    let live = sockets().await;
    let subscription = live.connections.subscription(&FEED, "c1").await.unwrap().unwrap();
    let minute_ago = Timestamp::now() - SignedDuration::from_secs(61);
    live.connections.mark_lagging(&subscription, 2, 2, minute_ago).await.unwrap();
    append_and_deliver(&live, 3..=3).await;
    assert_eq!(live.push.closed(), ["c1"]);
    assert_eq!(live.connections.subscription(&FEED, "c1").await.unwrap(), None);
}

#[tokio::test]
async fn a_catch_up_of_a_socket_that_does_not_lag_does_nothing() {
    let live = sockets().await;
    for name in [NAMES[0], "nobody"] {
        catch_up(&live, &FEED, name).await;
    }
    assert_eq!(live.push.numbers("c0", &FEED), [1, 2]);
}
