//! The audience of each type of entry: while users of every kind are connected, everyone in the
//! audience receives the entry, and nobody else.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::support::{
    Cloud, Socket, User, admin, new_client, new_service, new_worker, pay, place_order,
    shared_cloud, transition_body, unique, until_payment_status, until_status,
};

/// The connected users.
const PEOPLE: [&str; 8] = [
    "client",
    "worker",
    "colleague",
    "generalist",
    "specialist",
    "other client",
    "admin",
    "latecomer",
];

/// The audience of each type of entry. The colleague serves the order's category like the worker,
/// the generalist serves all categories, and the specialist another one.
const TABLE: &[(&str, &[&str])] = &[
    ("payment.processing", &["client"]),
    ("payment.failed", &["client"]),
    ("payment.paid", &["client"]),
    ("order.opened", &["worker", "colleague", "generalist"]),
    ("order.assigned", &["client", "worker"]),
    ("order.released", &["client", "worker"]),
    ("message.received", &["client", "worker"]),
    ("order.delivered", &["client", "worker"]),
    ("order.revision_requested", &["client", "worker"]),
    ("order.completed", &["client", "worker"]),
    ("order.disputed", &["client", "worker", "admin"]),
    ("order.resolved", &["client", "worker", "admin"]),
    ("order.canceled", &["client"]),
    ("payment.refunded", &["client"]),
];

struct Watcher {
    user: User,
    socket: Socket,
    feeds: BTreeMap<String, u64>,
    /// The entries received over the socket.
    entries: Vec<Value>,
}

impl Watcher {
    async fn new(user: User) -> Self {
        let (socket, welcome) = Socket::connect_and_hello(&user, json!({})).await;
        let feeds = serde_json::from_value(welcome["feeds"].clone()).unwrap();
        Self { user, socket, feeds, entries: Vec::new() }
    }

    /// Receives entries up to the broadcast with this text.
    async fn until(&mut self, text: &str) {
        loop {
            let entry = self.socket.next().await;
            assert!(entry["seq"].is_u64(), "{entry:#}");
            let last = entry["data"]["text"] == text;
            self.entries.push(entry);
            if last {
                return;
            }
        }
    }

    /// Returns the types of the entries about these orders that arrived over the socket. Asserts
    /// that HTTP gives the same entries.
    async fn types(&self, orders: &[String]) -> BTreeSet<String> {
        let mut stored = Vec::new();
        for (feed, after) in &self.feeds {
            let mut after = *after;
            loop {
                let page = self
                    .user
                    .api
                    .get(&format!("/live/feed?feed={}&after={after}", encoded(feed)))
                    .await
                    .expect_status(200);
                let items = page["items"].as_array().unwrap().clone();
                let Some(last) = items.last() else { break };
                after = last["seq"].as_u64().unwrap();
                stored.extend(items);
            }
        }
        let key = |entry: &Value| (entry["feed"].to_string(), entry["seq"].as_u64());
        let about = |entries: &[Value]| -> BTreeMap<_, _> {
            let is_about = |entry: &&Value| {
                let data = &entry["data"];
                orders
                    .iter()
                    .any(|order| data["id"] == order.as_str() || data["order_id"] == order.as_str())
            };
            entries.iter().filter(is_about).map(|entry| (key(entry), entry.clone())).collect()
        };
        let (pushed, stored) = (about(&self.entries), about(&stored));
        assert_eq!(
            pushed, stored,
            "{}: the socket and HTTP give the same entries",
            self.user.username
        );
        pushed.values().map(|entry| entry["type"].as_str().unwrap().to_owned()).collect()
    }
}

fn encoded(feed: &str) -> String {
    feed.replace(' ', "%20").replace('*', "%2A")
}

async fn transition(user: &User, order: &str, verb: &str) {
    user.api
        .post(&format!("/orders/{order}/{verb}"), transition_body(verb))
        .await
        .expect_status(200);
}

/// Takes orders through every transition that adds entries, and returns their ids.
async fn cause_every_entry(
    cloud: &Cloud,
    client: &User,
    worker: &User,
    service: &Value,
) -> Vec<String> {
    // Declined, then paid from a bank account, released once, revised once, then completed.
    let done = place_order(client, service).await;
    assert_eq!(pay(cloud, client, &done, "pm_card_chargeDeclined").await["status"], 402);
    until_payment_status(client, &done, "failed").await;
    let paid = pay(cloud, client, &done, "pm_usBankAccount_processing").await;
    assert_eq!(paid["status"], 200);
    until_payment_status(client, &done, "processing").await;
    let intent = paid["payment"]["payment_intent_id"].as_str().unwrap();
    cloud
        .stripe()
        .post(&format!("/_local/payment_intents/{intent}/succeed"), json!({}))
        .await
        .expect_status(200);
    until_status(client, &done, "open").await;
    for verb in ["accept", "release", "accept"] {
        transition(worker, &done, verb).await;
    }
    let messages = format!("/orders/{done}/messages");
    client.api.post(&messages, json!({"text": "When?"})).await.expect_status(201);
    worker.api.post(&messages, json!({"text": "Now."})).await.expect_status(201);
    for (user, verb) in [
        (worker, "deliver"),
        (client, "request-revision"),
        (worker, "deliver"),
        (client, "complete"),
    ] {
        transition(user, &done, verb).await;
    }
    let paid = async || {
        let order = place_order(client, service).await;
        assert_eq!(pay(cloud, client, &order, "pm_card_visa").await["status"], 200);
        until_status(client, &order, "open").await;
        order
    };
    // Canceled after it was paid.
    let canceled = paid().await;
    transition(client, &canceled, "cancel").await;
    until_payment_status(client, &canceled, "refunded").await;
    // Disputed and resolved.
    let disputed = paid().await;
    transition(worker, &disputed, "accept").await;
    transition(client, &disputed, "dispute").await;
    transition(&admin(cloud).await, &disputed, "resolve").await;
    until_payment_status(client, &disputed, "refunded").await;
    vec![done, canceled, disputed]
}

#[tokio::test]
async fn each_type_of_entry_reaches_its_audience_and_nobody_else() {
    assert_audiences(shared_cloud()).await;
}

pub async fn assert_audiences(cloud: &Cloud) {
    let (category, other) = (unique("Audience "), unique("Elsewhere "));
    let mut people = BTreeMap::new();
    for name in PEOPLE {
        let user = match name {
            "client" | "other client" => new_client(cloud).await,
            "worker" | "colleague" | "latecomer" => new_worker(cloud, &[&category]).await,
            "generalist" => new_worker(cloud, &[]).await,
            "specialist" => new_worker(cloud, &[&other]).await,
            _ => admin(cloud).await,
        };
        people.insert(name, user);
    }
    let mut watchers = BTreeMap::new();
    for (name, user) in people.iter().filter(|(name, _)| **name != "latecomer") {
        watchers.insert(*name, Watcher::new(user.clone()).await);
    }
    // This socket is open from the start but sends no hello, so it must receive nothing.
    let mut silent = Socket::connect(&people["latecomer"]).await;

    let service = new_service(cloud, &category).await;
    let orders = cause_every_entry(cloud, &people["client"], &people["worker"], &service).await;

    // Entries appended before the second marker are pushed before it, whatever feed they are in.
    let markers = [unique("First "), unique("Second ")];
    let admin = admin(cloud).await;
    for text in &markers {
        for role in ["client", "worker", "admin"] {
            admin
                .api
                .post("/live/broadcasts", json!({"role": role, "text": text}))
                .await
                .expect_status(202);
        }
        for watcher in watchers.values_mut() {
            watcher.until(text).await;
        }
    }
    let mut audiences: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for (name, watcher) in &watchers {
        for kind in watcher.types(&orders).await {
            audiences.entry(kind).or_default().insert(name);
        }
        // Each feed continues at the number in the welcome, without gaps.
        let mut last = watcher.feeds.clone();
        for entry in &watcher.entries {
            let number =
                last.get_mut(entry["feed"].as_str().unwrap()).expect("only feeds of the welcome");
            let seq = entry["seq"].as_u64().unwrap();
            assert!(seq <= *number + 1, "{name} gets {seq} after {number}");
            *number = seq.max(*number);
        }
        let roles: Vec<_> = watcher
            .entries
            .iter()
            .filter(|entry| entry["data"]["text"] == markers[0].as_str())
            .collect();
        assert_eq!(roles.len(), 1, "{name} gets a broadcast to their role once");
    }
    let expected = TABLE
        .iter()
        .map(|(kind, who)| ((*kind).to_owned(), who.iter().copied().collect::<BTreeSet<_>>()));
    assert_eq!(audiences, expected.collect());

    silent.send(json!({"action": "ping"})).await;
    assert_eq!(
        silent.next().await,
        json!({"type": "pong"}),
        "a socket that said no hello was told nothing"
    );
}
