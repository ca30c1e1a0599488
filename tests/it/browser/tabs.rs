//! The tabs of a browser, and which entries of their feeds they have received.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::{Value, json};

use super::webdriver::Browser;
use crate::support::{User, try_eventually};

/// A browser tab and its user.
pub struct Tab<'a> {
    /// The prefix of the tab's keys in `localStorage`, which all tabs share.
    pub name: &'static str,
    pub user: &'a User,
    /// The handle of its window in the `WebDriver` session.
    pub handle: String,
}

/// A browser and its tabs.
pub struct Tabs<'a> {
    pub browser: &'a Browser,
    pub open: Vec<Tab<'a>>,
}

impl Tabs<'_> {
    /// Returns what a tab has stored under this key.
    pub async fn stored(&self, tab: &str, key: &str) -> Vec<Value> {
        let script = format!("return JSON.parse(localStorage.getItem('{tab}.{key}') ?? '[]')");
        self.browser.run_script(&script).await.as_array().cloned().unwrap_or_default()
    }

    /// Returns the user's entries by feed, read over HTTP.
    async fn feeds(&self, user: &User) -> BTreeMap<String, Vec<Value>> {
        let me = user.api.get("/auth/me").await.expect_status(200);
        let role = format!("role:{}s", me["role"].as_str().unwrap());
        let mut feeds = BTreeMap::new();
        for feed in [format!("user:{}", me["id"].as_str().unwrap()), role] {
            let page = user.api.get(&format!("/live/feed?feed={feed}")).await.expect_status(200);
            assert_eq!(
                page["items"].as_array().unwrap().len() as u64,
                page["last"].as_u64().unwrap(),
                "the feed fits on one page"
            );
            feeds.insert(feed, page["items"].as_array().unwrap().clone());
        }
        feeds
    }

    /// Waits until the feeds of every tab's user have at least `minimum` entries, and the tab has
    /// received exactly these entries, in order. `what` says what happened before.
    pub async fn until_all_are_complete(&self, minimum: usize, what: &str) {
        let began = Instant::now();
        for tab in &self.open {
            let (mut received, mut expected) = (BTreeMap::new(), BTreeMap::new());
            let complete = try_eventually(async || {
                let feeds = self.feeds(tab.user).await;
                received =
                    feeds.keys().map(|feed| (feed.clone(), Vec::new())).collect::<BTreeMap<_, _>>();
                for entry in self.stored(tab.name, "entries").await {
                    let feed = entry["feed"].as_str().unwrap().to_owned();
                    received.entry(feed).or_default().push(entry);
                }
                let enough = feeds.values().map(Vec::len).sum::<usize>() >= minimum;
                expected = feeds
                    .into_iter()
                    .map(|(feed, entries)| (feed, entries.iter().map(shortened).collect()))
                    .collect();
                (enough && received == expected).then_some(())
            });
            if complete.await.is_none() {
                let (states, errors) =
                    (self.stored(tab.name, "states").await, self.stored(tab.name, "errors").await);
                let console = self.browser.console().await;
                panic!(
                    "{what}: {} has {received:#?}\nof {expected:#?}\n\
                     {states:?}\n{errors:?}\n{console}",
                    tab.name
                );
            }
        }
        println!("{what}: all tabs are complete after {:.1?}", began.elapsed());
    }
}

/// Returns the fields of an entry that the page stores.
fn shortened(entry: &Value) -> Value {
    json!({"feed": entry["feed"], "seq": entry["seq"], "id": entry["id"], "type": entry["type"]})
}
