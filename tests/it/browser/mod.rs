//! `web/live.js` in a real browser, against the local cloud, while everything between them fails:
//! every entry exactly once, in order.
//!
//! Run by `.ci/browser`, which sees to it that Chromium is there.

mod pages;
mod webdriver;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use self::pages::Network;
use self::webdriver::Browser;
use crate::support::assigned;
use crate::support::{Client, Cloud, User, admin, client, unique, worker, workspace};

/// Far longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// A tab of the browser, and what it should have in the end.
struct Tab<'a> {
    name: &'static str,
    user: &'a User,
    handle: String,
}

struct Stage<'a> {
    browser: &'a Browser,
    tabs: Vec<Tab<'a>>,
}

impl Stage<'_> {
    /// What a tab keeps under this name. All tabs share a storage.
    async fn kept(&self, tab: &str, what: &str) -> Vec<Value> {
        let script = format!("return JSON.parse(localStorage.getItem('{tab}.{what}') ?? '[]')");
        self.browser.run(&script).await.as_array().cloned().unwrap_or_default()
    }

    /// Entries by feed, as HTTP gives them.
    async fn feeds(&self, user: &User) -> BTreeMap<String, Vec<Value>> {
        let me = user.api.get("/auth/me").await.expect(200);
        let role = format!("role:{}s", me["role"].as_str().unwrap());
        let mut feeds = BTreeMap::new();
        for feed in [format!("user:{}", me["id"].as_str().unwrap()), role] {
            let page = user.api.get(&format!("/live/feed?feed={feed}")).await.expect(200);
            assert_eq!(
                page["items"].as_array().unwrap().len() as u64,
                page["last"].as_u64().unwrap(),
                "one page"
            );
            feeds.insert(feed, page["items"].as_array().unwrap().clone());
        }
        feeds
    }

    /// Waits until every tab has taken everything, and sees that it is exactly that, in order.
    async fn everybody_has_everything(&self, entries: usize, what: &str) {
        let began = Instant::now();
        for tab in &self.tabs {
            loop {
                let feeds = self.feeds(tab.user).await;
                let took = self.kept(tab.name, "took").await;
                let mut has: BTreeMap<String, Vec<Value>> =
                    feeds.keys().map(|feed| (feed.clone(), Vec::new())).collect();
                for entry in took {
                    has.entry(entry["feed"].as_str().unwrap().to_owned()).or_default().push(entry);
                }
                let short = |entry: &Value| json!({"feed": entry["feed"], "seq": entry["seq"], "id": entry["id"], "type": entry["type"]});
                let full = feeds.values().map(Vec::len).sum::<usize>() >= entries;
                let expected = feeds
                    .into_iter()
                    .map(|(feed, entries)| (feed, entries.iter().map(short).collect()))
                    .collect();
                if full && has == expected {
                    break;
                }
                if began.elapsed() > PATIENCE {
                    let (states, errors) =
                        (self.kept(tab.name, "states").await, self.kept(tab.name, "errors").await);
                    let console = self.browser.console().await;
                    panic!(
                        "{what}: {} has {has:#?}\nof {expected:#?}\n{states:?}\n{errors:?}\n{console}",
                        tab.name
                    );
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
        println!("{what}: everybody has everything after {:.1?}", began.elapsed());
    }
}

/// Of the log of the local cloud: the sockets that it has opened.
fn opened(cloud: &Cloud) -> Vec<String> {
    let log = std::fs::read_to_string(&cloud.log).unwrap();
    let id = |line: &str| {
        line.split_once(" socket ")?.1.split_once(" opened").map(|(id, _)| id.to_owned())
    };
    log.lines().filter_map(id).collect()
}

/// Client and worker write to each other, one message after the other, and what is given happens in
/// between.
async fn talk(pair: [&User; 2], order: &str, between: impl AsyncFn(usize)) {
    for n in 0..4 {
        for user in pair {
            let keyed = user.api.with("idempotency-key", &unique("key"));
            for attempt in 0.. {
                let sent = keyed
                    .post(
                        &format!("/orders/{order}/messages"),
                        json!({"text": format!("Message {n}")}),
                    )
                    .await;
                if sent.status == 201 {
                    break;
                }
                assert!(attempt < 20 && sent.status.is_server_error(), "{:#}", sent.body);
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
        }
        between(n).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: run .ci/browser"]
async fn a_page_gets_every_entry_exactly_once_and_in_order_whatever_is_killed() {
    let data = workspace().join("target/tests").join(unique("data-"));
    let data_dir = data.to_str().unwrap();
    let limits = ["--data-dir", data_dir, "--ws-max-duration", "20", "--ws-idle-timeout", "10"];
    let cloud = Cloud::start("browser", &limits);
    let (ann, wim) = (client(&cloud).await, worker(&cloud, &[&unique("Live ")]).await);
    let admin = admin(&cloud).await;

    let ws = cloud.ready.ws.strip_prefix("ws://").unwrap();
    let network = Network::to(ws.replace("localhost", "127.0.0.1")).await;
    let browser =
        Browser::start(&[("localhost:3000", pages::serve().await), (ws, network.address.clone())])
            .await;
    let mut stage = Stage { browser: &browser, tabs: Vec::new() };
    // Ann has two tabs: each gets everything.
    for (name, user) in [("ann1", &ann), ("ann2", &ann), ("wim", &wim)] {
        let handle = browser.tab().await;
        let query = format!(
            "api={}&username={}&password={}&tab={name}",
            cloud.ready.http,
            user.username,
            user.password.replace(' ', "+")
        );
        browser.open(&format!("http://localhost:3000/page.html?{query}")).await;
        stage.tabs.push(Tab { name, user, handle });
    }
    let began = Instant::now();
    for tab in &stage.tabs {
        while stage.kept(tab.name, "reloads").await.is_empty() {
            assert!(
                began.elapsed() < PATIENCE,
                "{} does not open: {}",
                tab.name,
                browser.console().await
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    let pair = [&ann, &wim];
    let order = assigned(&cloud, &ann, &wim).await;
    stage.everybody_has_everything(1, "an order is placed, paid for and accepted").await;

    let management = Client::new(&cloud.ready.invoke);
    talk(pair, &order, async |_| {
        for id in opened(&cloud) {
            let path = format!("/@connections/{}", id.replace('=', "%3D"));
            management.send(http::Method::DELETE, &path, "", Default::default()).await;
        }
    })
    .await;
    stage.everybody_has_everything(4, "sockets closed by the server").await;

    talk(pair, &order, async |_| network.cut()).await;
    stage.everybody_has_everything(8, "connections cut").await;

    network.swallow();
    talk(pair, &order, async |n| {
        if n == 2 {
            network.swallow()
        }
    })
    .await;
    stage.everybody_has_everything(12, "connections gone silent").await;

    // Which of them run at a given moment is the cloud's affair: one that nobody needed for a while
    // has none.
    let killed = AtomicUsize::new(0);
    talk(pair, &order, async |n| {
        let names = [
            ["live-notify", "live-default"],
            ["live-connect", "live-ticket"],
            ["live-notify", "live-disconnect"],
        ];
        for name in names[n % 3] {
            killed.fetch_add(cloud.kill_function(name, usize::MAX), Ordering::Relaxed);
        }
    })
    .await;
    assert!(killed.into_inner() > 0, "some process is killed");
    stage.everybody_has_everything(16, "functions killed").await;

    let tabs: Vec<_> = stage.tabs.iter().map(|tab| tab.handle.clone()).collect();
    talk(pair, &order, async |n| {
        browser.switch(&tabs[n % tabs.len()]).await;
        browser.run("location.reload()").await;
    })
    .await;
    stage.everybody_has_everything(20, "pages loaded anew").await;

    // What was told before the end is told after the restart at the latest.
    admin
        .api
        .post("/live/broadcasts", json!({"role": "client", "text": "Back soon"}))
        .await
        .expect(202);
    admin
        .api
        .post("/live/broadcasts", json!({"role": "worker", "text": "Back soon"}))
        .await
        .expect(202);
    let port = |url: &str| url.rsplit(':').next().unwrap().trim_end_matches('/').to_owned();
    let ports = [
        ("--http-port", port(&cloud.ready.http)),
        ("--ws-port", port(&cloud.ready.ws)),
        ("--dynamodb-port", port(&cloud.ready.dynamodb)),
        ("--invoke-port", port(&cloud.ready.invoke)),
        ("--stripe-port", port(cloud.ready.stripe.as_deref().unwrap())),
    ];
    drop(cloud);
    let flags: Vec<&str> = limits
        .into_iter()
        .chain(ports.iter().flat_map(|(name, port)| [*name, port.as_str()]))
        .collect();
    let cloud = Cloud::start("browser-again", &flags);
    talk(pair, &order, async |_| ()).await;
    stage.everybody_has_everything(25, "the cloud restarted").await;

    for tab in &stage.tabs {
        assert_eq!(
            stage.kept(tab.name, "reloads").await.len(),
            1,
            "{} never had to load anything anew",
            tab.name
        );
        let states = stage.kept(tab.name, "states").await;
        assert!(!states.contains(&json!("stopped")), "{states:?}");
        println!(
            "{}: {} times open; {:?}",
            tab.name,
            states.iter().filter(|s| **s == "open").count(),
            stage.kept(tab.name, "errors").await
        );
    }
    browser.end().await;
    drop(cloud);
    std::fs::remove_dir_all(data).unwrap();
}

#[tokio::test]
#[ignore = "needs Chromium: run .ci/browser"]
async fn the_example_signs_in_and_shows_the_feed_live() {
    let cloud = Cloud::start("browser-example", &["--ephemeral"]);
    let client = client(&cloud).await;
    let browser = Browser::start(&[("localhost:3000", pages::serve().await)]).await;
    browser.open(&format!("http://localhost:3000/example.html?api={}", cloud.ready.http)).await;
    let fill = format!(
        "form.username.value = '{}'; form.password.value = '{}'; form.requestSubmit()",
        client.username, client.password
    );
    browser.run(&fill).await;
    let shows = async |text: &str| {
        let began = Instant::now();
        loop {
            let shown = browser.run("return document.body.innerText").await;
            if shown.as_str().is_some_and(|shown| shown.contains(text)) {
                return;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "no {text} in {shown}; {}",
                browser.console().await
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    shows("Following role:clients").await;
    let body = json!({"role": "client", "text": "Hear, hear!"});
    admin(&cloud).await.api.post("/live/broadcasts", body).await.expect(202);
    shows("Hear, hear!").await;
    assert_eq!(browser.run("return document.querySelector('output').value").await, "open");
    browser.end().await;
}
