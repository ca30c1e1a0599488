use std::collections::HashSet;

use futures::future::join_all;

use super::super::testing::{append, draft, live};
use crate::domain::feed::Feed;
use crate::domain::user::Role;
use crate::store::Entry;

async fn read(
    live: &super::super::Live<super::super::testing::Recorder>,
    feed: &Feed,
) -> Vec<Entry> {
    live.store.feed_after(feed, 0, 0, 1000, jiff::Timestamp::now()).await.unwrap().items
}

#[tokio::test]
async fn of_appends_at_once_each_gets_one_number_and_none_is_left_out() {
    let (live, feed) = (live().await, Feed::Role(Role::Worker));
    let appends = (0..8_u64).map(|writer| {
        let (live, feed) = (live.clone(), feed.clone());
        async move {
            for n in 0..5 {
                live.store.append(&feed, &[draft(writer * 100 + n)]).await.unwrap();
            }
        }
    });
    join_all(appends).await;
    let entries = read(&live, &feed).await;
    assert_eq!(entries.iter().map(|e| e.seq).collect::<Vec<_>>(), (1..=40).collect::<Vec<_>>());
    assert_eq!(entries.iter().map(|e| &e.id).collect::<HashSet<_>>().len(), 40);
    for writer in 0..8 {
        let own: Vec<_> = entries
            .iter()
            .filter_map(|e| e.data["n"].as_u64())
            .filter(|n| n / 100 == writer)
            .collect();
        assert!(own.is_sorted(), "a writer's entries keep their order: {own:?}");
    }
    assert_eq!(live.store.feed_heads(std::slice::from_ref(&feed)).await.unwrap()[&feed], 40);
}

#[tokio::test]
async fn appending_again_changes_nothing_even_when_all_writers_do_it_at_once() {
    let (live, feed) = (live().await, Feed::Role(Role::Admin));
    join_all((0..6).map(|_| append(&live, &feed, 1..=20))).await;
    let once = read(&live, &feed).await;
    assert_eq!(once.len(), 20);
    // Some old, some new, one twice in a call.
    let mixed = [draft(7), draft(21), draft(20), draft(21), draft(22)];
    live.store.append(&feed, &mixed).await.unwrap();
    let entries = read(&live, &feed).await;
    assert_eq!(entries[..20], once);
    assert_eq!(
        entries[20..].iter().map(|e| (e.seq, e.data["n"].as_u64())).collect::<Vec<_>>(),
        [(21, Some(21)), (22, Some(22))]
    );
}

#[tokio::test]
async fn more_entries_than_a_transaction_takes_are_appended_in_order() {
    let (live, feed) = (live().await, Feed::AnyCategory);
    append(&live, &feed, 1..=130).await;
    let entries = read(&live, &feed).await;
    assert!(
        entries
            .iter()
            .map(|e| (e.seq, e.data["n"].as_u64().unwrap()))
            .eq((1..=130).map(|n| (n, n)))
    );
}

#[tokio::test]
async fn feeds_number_their_entries_each_for_itself() {
    let live = live().await;
    let (one, other) = (Feed::Role(Role::Client), Feed::Role(Role::Worker));
    append(&live, &one, 1..=3).await;
    append(&live, &other, 1..=2).await;
    let heads =
        live.store.feed_heads(&[one.clone(), other.clone(), Feed::AnyCategory]).await.unwrap();
    assert_eq!([heads[&one], heads[&other], heads[&Feed::AnyCategory]], [3, 2, 0]);
}
