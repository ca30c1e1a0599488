//! `web/live.js` in a real browser against the local cloud, while connections and processes fail:
//! every entry arrives exactly once and in order.
//!
//! `.ci/browser` installs Chromium and runs these tests.

mod pages;
mod tabs;
mod webdriver;

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use self::pages::Network;
use self::tabs::{Tab, Tabs};
use self::webdriver::Browser;
use crate::support::{
    Cloud, User, admin, eventually, new_client, new_worker, place_assigned_order, unique, workspace,
};

/// Returns the ids of all sockets opened so far, according to the log of the local cloud.
fn opened_sockets(cloud: &Cloud) -> Vec<String> {
    let log = std::fs::read_to_string(&cloud.log).unwrap();
    let id = |line: &str| {
        line.split_once(" socket ")?.1.split_once(" opened").map(|(id, _)| id.to_owned())
    };
    log.lines().filter_map(id).collect()
}

/// Sends eight messages between client and worker, in turns, and runs `between` after each pair.
async fn converse(pair: [&User; 2], order: &str, between: impl AsyncFn(usize)) {
    for n in 0..4 {
        for user in pair {
            let keyed = user.api.with_header("idempotency-key", &unique("key"));
            eventually("a message is sent", async || {
                let path = format!("/orders/{order}/messages");
                let sent = keyed.post(&path, json!({"text": format!("Message {n}")})).await;
                let sent_or_failed = sent.status == 201 || sent.status.is_server_error();
                assert!(sent_or_failed, "{:#}", sent.body);
                (sent.status == 201).then_some(())
            })
            .await;
        }
        between(n).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Chromium: run .ci/browser"]
async fn a_page_gets_every_entry_exactly_once_and_in_order_despite_failures() {
    let data = workspace().join("target/tests").join(unique("data-"));
    let data_dir = data.to_str().unwrap();
    let limits = ["--data-dir", data_dir, "--ws-max-duration", "20", "--ws-idle-timeout", "10"];
    let cloud = Cloud::start("browser", &limits);
    let (ann, wim) = (new_client(&cloud).await, new_worker(&cloud, &[&unique("Live ")]).await);
    let admin = admin(&cloud).await;

    let ws = cloud.ready.ws.strip_prefix("ws://").unwrap();
    let network = Network::to(ws.replace("localhost", "127.0.0.1")).await;
    let browser =
        Browser::start(&[("localhost:3000", pages::serve().await), (ws, network.address.clone())])
            .await;
    let mut tabs = Tabs { browser: &browser, open: Vec::new() };
    // Ann has two tabs. Each gets every entry.
    for (name, user) in [("ann1", &ann), ("ann2", &ann), ("wim", &wim)] {
        let handle = browser.open_tab().await;
        let query = format!(
            "api={}&username={}&password={}&tab={name}",
            cloud.ready.http,
            user.username,
            user.password.replace(' ', "+")
        );
        browser.open(&format!("http://localhost:3000/page.html?{query}")).await;
        tabs.open.push(Tab { name, user, handle });
    }
    for tab in &tabs.open {
        eventually(&format!("{} opens", tab.name), async || {
            tabs.stored(tab.name, "reloads").await.into_iter().next()
        })
        .await;
    }
    let pair = [&ann, &wim];
    let order = place_assigned_order(&cloud, &ann, &wim).await;
    tabs.until_all_are_complete(1, "an order is placed, paid for and accepted").await;

    converse(pair, &order, async |_| {
        for id in opened_sockets(&cloud) {
            cloud.close_socket(&id).await;
        }
    })
    .await;
    tabs.until_all_are_complete(4, "sockets closed by the server").await;

    converse(pair, &order, async |_| network.cut()).await;
    tabs.until_all_are_complete(8, "connections cut").await;

    network.hang();
    converse(pair, &order, async |n| {
        if n == 2 {
            network.hang()
        }
    })
    .await;
    tabs.until_all_are_complete(12, "connections gone silent").await;

    // A function that was idle for a while may have no process to kill.
    let killed = AtomicUsize::new(0);
    converse(pair, &order, async |n| {
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
    assert!(killed.into_inner() > 0, "no process was killed");
    tabs.until_all_are_complete(16, "functions killed").await;

    let handles: Vec<_> = tabs.open.iter().map(|tab| tab.handle.clone()).collect();
    converse(pair, &order, async |n| {
        browser.switch_to(&handles[n % handles.len()]).await;
        browser.run_script("location.reload()").await;
    })
    .await;
    tabs.until_all_are_complete(20, "pages reloaded").await;

    // An entry written just before the end arrives after the restart at the latest.
    admin
        .api
        .post("/live/broadcasts", json!({"role": "client", "text": "Back soon"}))
        .await
        .expect_status(202);
    admin
        .api
        .post("/live/broadcasts", json!({"role": "worker", "text": "Back soon"}))
        .await
        .expect_status(202);
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
    converse(pair, &order, async |_| ()).await;
    tabs.until_all_are_complete(25, "the cloud restarted").await;

    for tab in &tabs.open {
        assert_eq!(
            tabs.stored(tab.name, "reloads").await.len(),
            1,
            "{} never had to reload its data",
            tab.name
        );
        let states = tabs.stored(tab.name, "states").await;
        assert!(!states.contains(&json!("stopped")), "{states:?}");
        println!(
            "{}: {} times open; {:?}",
            tab.name,
            states.iter().filter(|s| **s == "open").count(),
            tabs.stored(tab.name, "errors").await
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
    let client = new_client(&cloud).await;
    let browser = Browser::start(&[("localhost:3000", pages::serve().await)]).await;
    browser.open(&format!("http://localhost:3000/example.html?api={}", cloud.ready.http)).await;
    let fill = format!(
        "form.username.value = '{}'; form.password.value = '{}'; form.requestSubmit()",
        client.username, client.password
    );
    browser.run_script(&fill).await;
    let shows = async |text: &str| {
        eventually(&format!("the page shows {text}"), async || {
            let shown = browser.run_script("return document.body.innerText").await;
            shown.as_str().is_some_and(|shown| shown.contains(text)).then_some(())
        })
        .await;
    };
    shows("Following role:clients").await;
    let body = json!({"role": "client", "text": "Maintenance tonight"});
    admin(&cloud).await.api.post("/live/broadcasts", body).await.expect_status(202);
    shows("Maintenance tonight").await;
    assert_eq!(browser.run_script("return document.querySelector('output').value").await, "open");
    browser.end().await;
}

#[tokio::test]
#[ignore = "needs Chromium: run .ci/browser"]
async fn the_documentation_page_signs_in_and_calls_an_endpoint() {
    let cloud = Cloud::start("browser-docs", &["--ephemeral"]);
    let browser = Browser::start(&[]).await;
    browser.open(&format!("{}/docs", cloud.ready.http)).await;
    let shows = async |text: &str| {
        eventually(&format!("the page shows {text}"), async || {
            let shown = browser.run_script("return document.body.innerText").await;
            shown.as_str().is_some_and(|shown| shown.contains(text)).then_some(())
        })
        .await;
    };
    let click = async |element: &str| {
        let click = format!(
            "const element = document.querySelector('{element}'); element?.click(); return !!element"
        );
        eventually(&format!("the page has {element}"), async || {
            (browser.run_script(&click).await == true).then_some(())
        })
        .await;
    };
    shows("Sample users: client1/client123").await;
    let form = "const form = document.getElementById('sign-in');";
    let box_of_form = format!("{form} return form.getBoundingClientRect().bottom < 150");
    assert_eq!(browser.run_script(&box_of_form).await, true, "the form is at the top");
    browser
        .run_script(&format!("{form} form.password.value = 'client123'; form.requestSubmit()"))
        .await;
    shows("Signed in as client1.").await;

    click("#operations-tag-auth").await;
    click("#operations-auth-auth-me button").await;
    // Swagger UI can send the request only once it has resolved the references of the operation.
    let resolved = "return !!ui.specSelectors.specResolvedSubtree(['paths', '/auth/me', 'get'])";
    eventually("the operation is resolved", async || {
        (browser.run_script(resolved).await == true).then_some(())
    })
    .await;
    click("#operations-auth-auth-me .execute").await;
    shows("client1@marketplace.com").await;
    let console = browser.console().await;
    let messages = console.as_array().unwrap();
    assert!(messages.iter().all(|message| message["level"] != "SEVERE"), "{console:#}");
    browser.end().await;
}
