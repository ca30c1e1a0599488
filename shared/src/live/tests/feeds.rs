use std::collections::HashSet;

use futures::future::join_all;

use super::super::LiveService;
use super::super::testing::{Recorder, append, live, new_entry};
use crate::domain::feed::Feed;
use crate::domain::user::Role;
use crate::store::Entry;

async fn read(live: &LiveService<Recorder>, feed: &Feed) -> Vec<Entry> {
    live.store.feed_after(feed, 0, 0, 1000, jiff::Timestamp::now()).await.unwrap().items
}

#[tokio::test]
async fn concurrent_appends_each_get_one_number_without_gaps() {
    let (live, feed) = (live().await, Feed::Role(Role::Worker));
    let appends = (0..8_u64).map(|writer| {
        let (live, feed) = (live.clone(), feed.clone());
        async move {
            for n in 0..5 {
                live.store.append(&feed, &[new_entry(writer * 100 + n)]).await.unwrap();
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
async fn appending_again_changes_nothing_even_concurrently() {
    let (live, feed) = (live().await, Feed::Role(Role::Admin));
    join_all((0..6).map(|_| append(&live, &feed, 1..=20))).await;
    let once = read(&live, &feed).await;
    assert_eq!(once.len(), 20);
    // Some of these entries are old, some are new, and one is in the call twice.
    let mixed = [new_entry(7), new_entry(21), new_entry(20), new_entry(21), new_entry(22)];
    live.store.append(&feed, &mixed).await.unwrap();
    let entries = read(&live, &feed).await;
    assert_eq!(entries[..20], once);
    assert_eq!(
        entries[20..].iter().map(|e| (e.seq, e.data["n"].as_u64())).collect::<Vec<_>>(),
        [(21, Some(21)), (22, Some(22))]
    );
}

#[tokio::test]
async fn more_entries_than_fit_a_transaction_are_appended_in_order() {
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
async fn each_feed_has_its_own_numbers() {
    let live = live().await;
    let (one, other) = (Feed::Role(Role::Client), Feed::Role(Role::Worker));
    append(&live, &one, 1..=3).await;
    append(&live, &other, 1..=2).await;
    let heads =
        live.store.feed_heads(&[one.clone(), other.clone(), Feed::AnyCategory]).await.unwrap();
    assert_eq!([heads[&one], heads[&other], heads[&Feed::AnyCategory]], [3, 2, 0]);
}
