//! Compares what every socket received with the stored feeds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::counters::Counters;
use super::crowd::{Crowd, Person};
use super::listener::Listener;
use super::traffic::Caused;
use super::until_done;
use crate::support::Cloud;

/// All feeds by name, read over HTTP.
pub struct Feeds(BTreeMap<String, Vec<Value>>);

impl Feeds {
    /// Returns the number of the last entry of a feed.
    pub fn last(&self, feed: &str) -> u64 {
        self.0.get(feed).map_or(0, |entries| entries.len() as u64)
    }

    /// Returns how many entries of this type and about this id are in a feed.
    fn count(&self, feed: &str, kind: &str, about: &str) -> usize {
        let of = |entry: &&Value| entry["type"] == kind && entry["data"]["id"] == about;
        self.0.get(feed).map_or(0, |entries| entries.iter().filter(of).count())
    }

    /// Returns the expected entries that are not in their feed exactly once.
    fn missing(&self, caused: &Caused, categories: &[(String, String)]) -> Vec<String> {
        let own = |person: &Person| format!("user:{}", person.id);
        let mut expected = Vec::new();
        for (order, client, worker, category) in &caused.orders {
            let pool = format!("workers:{}", categories[*category].0.to_lowercase());
            expected.extend([
                (pool, "order.opened", order),
                ("workers:*".into(), "order.opened", order),
            ]);
            expected.extend(
                ["payment.paid", "order.assigned", "order.delivered"]
                    .map(|kind| (own(client), kind, order)),
            );
            expected.push((own(worker), "order.completed", order));
        }
        expected.extend(caused.messages.iter().map(|(id, to)| (own(to), "message.received", id)));
        expected.extend(
            caused.broadcasts.iter().map(|(id, feed)| ((*feed).to_owned(), "broadcast", id)),
        );
        let wrong = expected
            .into_iter()
            .map(|(feed, kind, about)| (self.count(&feed, kind, about), feed, kind, about));
        wrong
            // A feed that no user may read was not read.
            .filter(|(n, feed, ..)| *n != 1 && self.0.contains_key(feed))
            .map(|(n, feed, kind, about)| format!("{feed} has {n} {kind} of {about}"))
            .collect()
    }
}

/// Reads all feeds once they have every expected entry.
///
/// # Errors
/// When entries are missing and nothing changes any more.
pub async fn feeds(
    cloud: &Cloud,
    crowd: &Crowd,
    caused: &Caused,
    counters: &Counters,
) -> Result<Feeds, String> {
    let mut feeds = Feeds(BTreeMap::new());
    let mut before = Vec::new();
    loop {
        for (feed, reader) in readers(crowd) {
            read(cloud, reader, feed, feeds.0.entry(feed.clone()).or_default()).await;
        }
        let missing = feeds.missing(caused, &crowd.categories);
        if missing.is_empty() {
            return Ok(feeds);
        }
        if missing == before {
            // Nothing was added since the last round, so wait for progress.
            let seen = counters.line();
            until_done(counters, "stored", || counters.line() != seen)
                .await
                .map_err(|e| format!("{e}; {}", missing.join(", ")))?;
        }
        before = missing;
    }
}

/// Returns every feed that users of the crowd may read, each with one of these users.
fn readers(crowd: &Crowd) -> BTreeMap<&String, &Arc<Person>> {
    crowd.users.iter().flat_map(|user| user.feeds.iter().map(move |feed| (feed, user))).collect()
}

/// Reads the rest of a feed.
async fn read(cloud: &Cloud, reader: &Arc<Person>, feed: &str, entries: &mut Vec<Value>) {
    let name = feed.replace(' ', "%20").replace('*', "%2A");
    loop {
        let path = format!("/live/feed?feed={name}&after={}", entries.len());
        let answer = reader.api().await.get(&path).await;
        if answer.status == 401 {
            reader.renew(cloud).await;
            continue;
        }
        if answer.status.is_server_error() {
            tokio::time::sleep(std::time::Duration::from_millis(500)).await;
            continue;
        }
        let page = answer.expect_status(200);
        let items = page["items"].as_array().unwrap();
        entries.extend(items.iter().cloned());
        if items.is_empty() || entries.len() as u64 >= page["last"].as_u64().unwrap() {
            return;
        }
    }
}

/// Returns all violations of the guarantees.
pub fn violations(feeds: &Feeds, listeners: &[Arc<Listener>], counters: &Counters) -> Vec<String> {
    let mut wrong = counters.violations();
    for (feed, entries) in &feeds.0 {
        let numbered = entries
            .iter()
            .zip(1_u64..)
            .all(|(entry, n)| entry["seq"] == n && entry["feed"] == feed.as_str());
        let ids: BTreeSet<_> = entries.iter().map(|entry| entry["id"].as_str()).collect();
        if !numbered || ids.len() != entries.len() {
            wrong.push(format!("{feed} is not numbered 1, 2, 3, ... or has a duplicate entry"));
        }
    }
    for listener in listeners {
        for (feed, progress) in listener.progress_by_feed() {
            let stored = feeds.0.get(&feed).map(Vec::as_slice).unwrap_or_default();
            let stored = stored
                .iter()
                .skip(usize::try_from(progress.start).unwrap_or(0))
                .map(|entry| entry["id"].as_str());
            if !stored.eq(progress.entries.iter().map(|id| Some(id.as_str()))) {
                let (person, has, holds) = (
                    &listener.person.id,
                    progress.start + progress.entries.len() as u64,
                    feeds.last(&feed),
                );
                wrong.push(format!(
                    "a socket of {person} has {feed} from {} to {has}, \
                     but the feed has {holds} entries",
                    progress.start
                ));
            }
        }
    }
    wrong
}
