//! What everybody should have in the end, and who has something else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::crowd::{Crowd, Person};
use super::listener::Listener;
use super::numbers::Numbers;
use super::progress;
use super::traffic::Told;
use crate::support::Cloud;

/// All feeds as HTTP gives them, by name.
pub struct Feeds(BTreeMap<String, Vec<Value>>);

impl Feeds {
    pub fn last(&self, feed: &str) -> u64 {
        self.0.get(feed).map_or(0, |entries| entries.len() as u64)
    }

    /// How often an entry of this type about this is in a feed.
    fn count(&self, feed: &str, kind: &str, about: &str) -> usize {
        let of = |entry: &&Value| entry["type"] == kind && entry["data"]["id"] == about;
        self.0.get(feed).map_or(0, |entries| entries.iter().filter(of).count())
    }

    /// What should be in these feeds once and is not.
    fn missing(&self, told: &Told, trades: &[(String, String)]) -> Vec<String> {
        let own = |person: &Person| format!("user:{}", person.id);
        let mut expected = Vec::new();
        for (order, client, worker, trade) in &told.orders {
            let pool = format!("workers:{}", trades[*trade].0.to_lowercase());
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
        expected.extend(told.messages.iter().map(|(id, to)| (own(to), "message.received", id)));
        expected
            .extend(told.broadcasts.iter().map(|(id, feed)| ((*feed).to_owned(), "broadcast", id)));
        let wrong = expected
            .into_iter()
            .map(|(feed, kind, about)| (self.count(&feed, kind, about), feed, kind, about));
        wrong
            // A feed that nobody reads can't be looked at.
            .filter(|(n, feed, ..)| *n != 1 && self.0.contains_key(feed))
            .map(|(n, feed, kind, about)| format!("{feed} has {n} {kind} of {about}"))
            .collect()
    }
}

/// Reads all feeds when everything that was told is in them.
pub async fn feeds(
    cloud: &Cloud,
    crowd: &Crowd,
    told: &Told,
    numbers: &Numbers,
) -> Result<Feeds, String> {
    let mut feeds = Feeds(BTreeMap::new());
    let mut before = Vec::new();
    loop {
        for (feed, reader) in readers(crowd) {
            read(cloud, reader, feed, feeds.0.entry(feed.clone()).or_default()).await;
        }
        let missing = feeds.missing(told, &crowd.trades);
        if missing.is_empty() {
            return Ok(feeds);
        }
        if missing == before {
            // Nothing more has come in the time of reading all: only now look for a standstill.
            let seen = numbers.line();
            progress(numbers, "stored", || numbers.line() != seen)
                .await
                .map_err(|e| format!("{e}; {}", missing.join(", ")))?;
        }
        before = missing;
    }
}

/// Every feed that somebody of the crowd reads, with somebody who does.
fn readers(crowd: &Crowd) -> BTreeMap<&String, &Arc<Person>> {
    crowd.users.iter().flat_map(|user| user.feeds.iter().map(move |feed| (feed, user))).collect()
}

/// Reads a feed on to its end.
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
        let page = answer.expect(200);
        let items = page["items"].as_array().unwrap();
        entries.extend(items.iter().cloned());
        if items.is_empty() || entries.len() as u64 >= page["last"].as_u64().unwrap() {
            return;
        }
    }
}

/// Everything that must not be.
pub fn violations(feeds: &Feeds, listeners: &[Arc<Listener>], numbers: &Numbers) -> Vec<String> {
    let mut wrong = numbers.all_wrong();
    for (feed, entries) in &feeds.0 {
        let numbered = entries
            .iter()
            .zip(1_u64..)
            .all(|(entry, n)| entry["seq"] == n && entry["feed"] == feed.as_str());
        let ids: BTreeSet<_> = entries.iter().map(|entry| entry["id"].as_str()).collect();
        if !numbered || ids.len() != entries.len() {
            wrong.push(format!("{feed} is not numbered 1, 2, 3, ... or has something twice"));
        }
    }
    for listener in listeners {
        for (feed, place) in listener.places() {
            let stored = feeds.0.get(&feed).map(Vec::as_slice).unwrap_or_default();
            let stored = stored
                .iter()
                .skip(usize::try_from(place.start).unwrap_or(0))
                .map(|entry| entry["id"].as_str());
            if !stored.eq(place.entries.iter().map(|id| Some(id.as_str()))) {
                let (person, has, holds) = (
                    &listener.person.id,
                    place.start + place.entries.len() as u64,
                    feeds.last(&feed),
                );
                wrong.push(format!(
                    "a socket of {person} has {feed} from {} to {has}, which holds {holds}",
                    place.start
                ));
            }
        }
    }
    wrong
}
