//! The tabs of a browser, and what they have received.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::{Value, json};

use super::webdriver::Browser;
use crate::support::{User, try_eventually};

/// A browser tab and its user.
pub struct Tab<'a> {
    pub name: &'static str,
    pub user: &'a User,
    /// The handle of its window in the `WebDriver` session.
    pub handle: String,
}

/// A browser and its tabs.
pub struct Stage<'a> {
    pub browser: &'a Browser,
    pub tabs: Vec<Tab<'a>>,
}

impl Stage<'_> {
    /// Returns what a tab has stored under this key. All tabs share one storage.
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

    /// Waits until every tab has received exactly the entries of its feeds, in order.
    pub async fn until_all_tabs_are_complete(&self, entries: usize, what: &str) {
        let began = Instant::now();
        for tab in &self.tabs {
            let (mut received, mut expected) = (BTreeMap::new(), BTreeMap::new());
            let complete = try_eventually(async || {
                let feeds = self.feeds(tab.user).await;
                received =
                    feeds.keys().map(|feed| (feed.clone(), Vec::new())).collect::<BTreeMap<_, _>>();
                for entry in self.stored(tab.name, "entries").await {
                    let feed = entry["feed"].as_str().unwrap().to_owned();
                    received.entry(feed).or_default().push(entry);
                }
                let enough = feeds.values().map(Vec::len).sum::<usize>() >= entries;
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
