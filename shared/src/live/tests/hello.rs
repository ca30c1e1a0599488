use std::time::{Duration, Instant};

use futures::future::join_all;
use jiff::Timestamp;

use super::super::testing::{append, deliver, entries, hello, live, socket, suspend, user};
use crate::domain::feed::Feed;
use crate::domain::user::Role;
use crate::store::Subscription;

#[tokio::test]
async fn a_client_gets_the_welcome_then_missed_entries_then_pushes() {
    let live = live().await;
    let ann = user(&live, "ann", Role::Client, &[]).await;
    let (own, role) = (Feed::User(ann.id.clone()), Feed::Role(Role::Client));
    append(&live, &own, 1..=5).await;
    append(&live, &role, 1..=2).await;
    socket(&live, &ann, "c").await;
    deliver(&live, entries(&live, &own, 1..=5).await).await;
    assert_eq!(live.push.frames("c").len(), 0, "nothing before the hello");

    hello(&live, "c", &[(&own, 3)]).await.unwrap();
    let welcome = &live.push.frames("c")[0];
    assert_eq!(
        (&welcome["type"], &welcome["user_id"]),
        (&"welcome".into(), &ann.id.as_str().into())
    );
    assert_eq!(welcome["feeds"], serde_json::json!({own.to_string(): 5, role.to_string(): 2}));
    assert_eq!(live.push.types("c"), ["welcome", "broadcast", "broadcast"]);

    append(&live, &own, 6..=6).await;
    append(&live, &role, 3..=3).await;
    // The stream may be late or repeat records. Replayed entries are not pushed again.
    deliver(&live, entries(&live, &own, 4..=6).await).await;
    deliver(&live, entries(&live, &role, 1..=3).await).await;
    assert_eq!(live.push.numbers("c", &own), [4, 5, 6]);
    assert_eq!(
        live.push.numbers("c", &role),
        [3],
        "a feed that is not in the hello starts with the next entry"
    );
}

/// The replay is held up after its first entry while more entries are appended and pushed.
#[tokio::test]
async fn entries_pushed_during_a_replay_arrive_once_and_after_it() {
    let live = live().await;
    let ann = user(&live, "ann", Role::Client, &[]).await;
    let own = Feed::User(ann.id.clone());
    append(&live, &own, 1..=3).await;
    socket(&live, &ann, "c").await;
    let gate = live.push.hold_up("c", 2);
    let meanwhile = async {
        gate.reached().await;
        append(&live, &own, 4..=5).await;
        deliver(&live, entries(&live, &own, 1..=4).await).await;
        deliver(&live, entries(&live, &own, 5..=5).await).await;
        assert_eq!(live.push.numbers("c", &own), [1], "the push leaves the entries to the hello");
        gate.open();
    };
    let after = [(&own, 0)];
    let (hello_result, ()) = tokio::join!(hello(&live, "c", &after), meanwhile);
    hello_result.unwrap();
    append(&live, &own, 6..=6).await;
    deliver(&live, entries(&live, &own, 4..=6).await).await;
    assert_eq!(live.push.numbers("c", &own), [1, 2, 3, 4, 5, 6]);
}

#[tokio::test]
async fn sockets_that_say_hello_during_appends_get_every_entry_once_in_order() {
    const ENTRIES: u64 = 100;
    const SOCKETS: u64 = 40;
    let live = live().await;
    let ann = user(&live, "ann", Role::Client, &[]).await;
    let own = Feed::User(ann.id.clone());
    let (done, mut sockets_done) = tokio::sync::watch::channel(0);
    let writer = async {
        for n in 1..=ENTRIES {
            append(&live, &own, n..=n).await;
            deliver(&live, entries(&live, &own, n..=n).await).await;
            // Spread the appends over all hellos, whatever the machine's speed.
            let goal = n * SOCKETS / ENTRIES;
            sockets_done.wait_for(|done| *done + 8 >= goal).await.unwrap();
        }
    };
    let permits = tokio::sync::Semaphore::new(8);
    let sockets = join_all((0..SOCKETS).map(|n| {
        let (live, ann, own, permits, done) = (&live, &ann, &own, &permits, &done);
        async move {
            let permit = permits.acquire().await.unwrap();
            socket(live, ann, &format!("s{n}")).await;
            hello(live, &format!("s{n}"), &[(own, 0)]).await.unwrap();
            drop(permit);
            done.send_modify(|done| *done += 1);
        }
    }));
    tokio::join!(writer, sockets);
    for n in 0..SOCKETS {
        assert_eq!(
            live.push.numbers(&format!("s{n}"), &own),
            (1..=ENTRIES).collect::<Vec<_>>(),
            "socket {n}"
        );
    }
}

#[tokio::test]
async fn forbidden_feeds_and_future_numbers_are_refused_and_the_rest_is_served() {
    let live = live().await;
    let (ann, bob) =
        (user(&live, "ann", Role::Client, &[]).await, user(&live, "bob", Role::Client, &[]).await);
    let (own, others) = (Feed::User(ann.id.clone()), Feed::User(bob.id.clone()));
    append(&live, &own, 1..=2).await;
    append(&live, &others, 1..=2).await;
    socket(&live, &ann, "c").await;
    hello(
        &live,
        "c",
        &[(&own, 1), (&others, 0), (&Feed::Role(Role::Admin), 0), (&Feed::Role(Role::Client), 9)],
    )
    .await
    .unwrap();
    let frames = live.push.frames("c");
    let mut refused: Vec<_> = frames
        .iter()
        .filter(|f| f["type"] == "error")
        .map(|f| (f["feed"].clone(), f["code"].clone()))
        .collect();
    refused.sort_by_key(|(feed, _)| feed.to_string());
    let expected = [
        ("role:admins", "forbidden"),
        ("role:clients", "feed_number_ahead"),
        (&others.to_string(), "forbidden"),
    ];
    assert_eq!(refused, expected.map(|(feed, code)| (feed.into(), code.into())));
    assert_eq!(frames[0]["type"], "welcome");
    assert_eq!(live.push.numbers("c", &own), [2]);
    append(&live, &others, 3..=3).await;
    deliver(&live, entries(&live, &others, 1..=3).await).await;
    assert_eq!(live.push.numbers("c", &others), Vec::<u64>::new());
}

#[tokio::test]
async fn a_second_hello_starts_from_its_own_numbers_without_duplicate_pushes() {
    let live = live().await;
    let ann = user(&live, "ann", Role::Client, &[]).await;
    let own = Feed::User(ann.id.clone());
    append(&live, &own, 1..=3).await;
    socket(&live, &ann, "c").await;
    hello(&live, "c", &[(&own, 2)]).await.unwrap();
    hello(&live, "c", &[(&own, 1)]).await.unwrap();
    append(&live, &own, 4..=4).await;
    deliver(&live, entries(&live, &own, 4..=4).await).await;
    assert_eq!(live.push.numbers("c", &own), [3, 2, 3, 4]);
}

#[tokio::test]
async fn a_worker_who_changes_categories_gets_the_new_ones_after_the_next_hello() {
    let live = live().await;
    let wim = user(&live, "wim", Role::Worker, &["Design"]).await;
    socket(&live, &wim, "c").await;
    hello(&live, "c", &[]).await.unwrap();
    let [old, new] = [wim.clone(), user(&live, "wim2", Role::Worker, &["Music"]).await]
        .map(|u| Feed::of(&u)[2].clone());
    let changed = crate::domain::user::User {
        categories: user(&live, "wim3", Role::Worker, &["Music"]).await.categories,
        ..wim
    };
    live.store.put_for_test(&crate::store::Account::new(changed, String::new(), None)).await;
    hello(&live, "c", &[]).await.unwrap();
    append(&live, &old, 1..=1).await;
    append(&live, &new, 1..=1).await;
    deliver(&live, [entries(&live, &old, 1..=1).await, entries(&live, &new, 1..=1).await].concat())
        .await;
    assert_eq!((live.push.numbers("c", &old), live.push.numbers("c", &new)), (vec![], vec![1]));
}

#[tokio::test]
async fn users_suspended_or_signed_out_after_the_ticket_get_nothing() {
    let live = live().await;
    let ann = user(&live, "ann", Role::Client, &[]).await;
    socket(&live, &ann, "c").await;
    suspend(&live, &ann).await;
    assert_eq!(hello(&live, "c", &[]).await.unwrap_err().code().code, "account_suspended");
    let bob = user(&live, "bob", Role::Client, &[]).await;
    socket(&live, &bob, "d").await;
    let session = live.store.auth_state(&bob.id, "s").await.unwrap().session;
    let session = session.unwrap();
    assert!(
        live.store
            .update_session(&session.revoked(jiff::Timestamp::now()), &session)
            .await
            .unwrap()
    );
    assert_eq!(hello(&live, "d", &[]).await.unwrap_err().code().code, "invalid_token");
    assert_eq!((live.push.frames("c"), live.push.frames("d")), (vec![], vec![]));
}

#[tokio::test]
async fn expired_entries_are_skipped_and_reported_to_the_client() {
    let live = live().await;
    let ann = user(&live, "ann", Role::Client, &[]).await;
    let own = Feed::User(ann.id.clone());
    append(&live, &own, 1..=6).await;
    for seq in [1, 2, 4, 6] {
        live.store.delete_entry_for_test(&own, seq).await;
    }
    socket(&live, &ann, "c").await;
    hello(&live, "c", &[(&own, 0)]).await.unwrap();
    append(&live, &own, 7..=7).await;
    deliver(&live, entries(&live, &own, 7..=7).await).await;
    let received = |socket: &str| {
        let frames = live.push.frames(socket).into_iter().skip(1);
        let received = frames.map(|frame| match frame["type"].as_str() {
            Some("error") => format!("{} of {}: {}", frame["code"], frame["feed"], frame["oldest"]),
            _ => frame["seq"].to_string(),
        });
        received.collect::<Vec<_>>()
    };
    let too_old = |oldest: u64| format!("\"feed_number_too_old\" of \"{own}\": {oldest}");
    let expected =
        [too_old(3), "3".to_owned(), too_old(5), "5".to_owned(), too_old(7), "7".to_owned()];
    assert_eq!(received("c"), expected);

    // A client that has seen all expired entries gets no error.
    socket(&live, &ann, "d").await;
    hello(&live, "d", &[(&own, 6)]).await.unwrap();
    assert_eq!(received("d"), ["7"]);
}

/// TTL can be days late, so reads must drop expired entries themselves.
#[tokio::test]
async fn entries_expire_after_exactly_thirty_days_even_if_ttl_is_late() {
    let live = live().await;
    let feed = Feed::Role(Role::Worker);
    append(&live, &feed, 1..=2).await;
    let appended_at = entries(&live, &feed, 1..=1).await[0].at;
    let read = async |at| live.store.feed_after(&feed, 0, 2, 100, at).await.unwrap();
    let days = jiff::SignedDuration::from_hours(30 * 24);
    let within = read(appended_at + days - jiff::SignedDuration::from_secs(60)).await;
    assert_eq!((within.items.len(), within.missed.len()), (2, 0));
    let after = read(appended_at + days + jiff::SignedDuration::from_secs(60)).await;
    assert_eq!(
        (after.items, after.missed, after.next),
        (vec![], vec![crate::store::Missed { from: 1, to: 2 }], 2)
    );
}

#[tokio::test]
async fn pages_cover_all_numbers() {
    let live = live().await;
    let feed = Feed::Role(Role::Worker);
    append(&live, &feed, 1..=7).await;
    let (mut after, mut seen) = (0, Vec::new());
    while after < 7 {
        let page = live.store.feed_after(&feed, after, 7, 3, jiff::Timestamp::now()).await.unwrap();
        assert_eq!(page.missed, []);
        seen.extend(page.items.iter().map(|entry| entry.seq));
        after = page.next;
    }
    assert_eq!(seen, [1, 2, 3, 4, 5, 6, 7]);
}

#[tokio::test]
async fn a_replay_that_takes_too_long_fails_with_replay_unfinished() {
    let live = live().await;
    let ann = user(&live, "ann", Role::Client, &[]).await;
    let own = Feed::User(ann.id.clone());
    let connection = socket(&live, &ann, "c").await;
    hello(&live, "c", &[]).await.unwrap();
    append(&live, &own, 1..=3).await;
    let held = Subscription::held(&connection, own.clone(), "h", Timestamp::now());
    live.connections.put_subscriptions(std::slice::from_ref(&held)).await.unwrap();
    let eighteen_seconds_ago = Instant::now() - Duration::from_secs(18);
    let gate = live.push.hold_up("c", 2);
    let slow = async {
        gate.reached().await;
        tokio::time::sleep(Duration::from_millis(5500)).await;
        gate.open();
    };
    // The first two entries are in time, the third is not.
    let (result, ()) =
        tokio::join!(live.replay(&held, 0, 3, eighteen_seconds_ago + Duration::from_secs(5)), slow);
    assert_eq!(result.unwrap_err().code().code, "replay_unfinished");
    assert_eq!(live.push.numbers("c", &own), [1, 2]);
    let subscription = live.connections.subscription(&own, "c").await.unwrap().unwrap();
    assert_eq!(subscription.from, None, "nothing may be pushed after a gap");
}
