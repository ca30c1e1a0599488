//! What each endpoint asks of DynamoDB: one call for a read, two for a write. The local cloud
//! counts; docs/round-trips.md is what it counted.
//!
//! An endpoint that no step of [`every_endpoint_keeps_to_its_round_trips`] calls gets its sample
//! event at the end. Where that does not succeed, or does less than a request can, write a step.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{deployed, described, read, update_sources};
use crate::support::{
    Answer, Client, Cloud, Job, People, User, admin, body, client, pay, price, worker, workspace,
};

/// The endpoints that need more calls than the target, how many, and why.
const EXCEPTIONS: [(&str, usize, &str); 9] = [
    (
        "auth-token",
        7,
        "three round trips. The first counts the attempt for name and address and finds the name's \
         account, the second reads the account, the third writes the session and uncounts the \
         attempt",
    ),
    (
        "auth-password",
        4,
        "three round trips: the caller's account, a conditional counter, and the changed account \
         together with the uncounted attempt",
    ),
    (
        "users-list",
        2,
        "at the same time. Other people's data is shown only to someone who is an administrator \
         now, whatever the token says",
    ),
    ("orders-open", 4, "at the same time: the pool is spread over four partitions"),
    ("messages-list", 2, "the order decides whose messages the caller may see"),
    ("messages-send", 3, "a conditional counter limits how many messages a user sends"),
    ("live-ticket", 3, "a conditional counter limits how many tickets a user gets"),
    ("live-broadcast", 3, "a conditional counter limits how many broadcasts a user sends"),
    ("live-feed", 2, "the account decides whether the caller may read the feed"),
];

/// One request to DynamoDB, as the local cloud's `/_local/invocations` has it.
#[derive(Debug, Clone, Deserialize)]
struct Call {
    operation: String,
    denied: bool,
    error: bool,
    read_units: f64,
    write_units: f64,
}

#[derive(Debug, Deserialize)]
struct Invocation {
    function: String,
    trace_id: String,
    calls: Vec<Call>,
}

/// Goes through the product one request at a time, and notes what each asked of DynamoDB.
struct Walk {
    cloud: Cloud,
    seen: BTreeSet<String>,
    measured: BTreeMap<String, Vec<Call>>,
}

impl Walk {
    fn new(cloud: Cloud) -> Self {
        Self { cloud, seen: BTreeSet::new(), measured: BTreeMap::new() }
    }

    /// Sends this request, which `function` is to answer with success.
    async fn step(&mut self, function: &str, request: impl Future<Output = Answer>) -> Value {
        self.new_invocations(function).await;
        let answer = request.await;
        assert!(answer.status.is_success(), "{function}: {} {:#}", answer.status, answer.body);
        self.measure(function).await;
        answer.body
    }

    /// Notes what `function`, which was invoked once at most since the last step, asked for.
    async fn measure(&mut self, function: &str) {
        let mut new = self.new_invocations(function).await;
        assert!(new.len() < 2, "{function} was invoked {} times by one step", new.len());
        // An invocation without a call leaves no trace.
        let calls = new.pop().unwrap_or_default();
        assert!(calls.iter().all(|call| !call.denied && !call.error), "{function}: {calls:?}");
        assert!(
            self.measured.insert(function.to_owned(), calls).is_none(),
            "{function} is measured twice"
        );
    }

    /// The calls of each invocation of `function` that was not seen before.
    async fn new_invocations(&mut self, function: &str) -> Vec<Vec<Call>> {
        let counted =
            Client::new(&self.cloud.ready.dynamodb).get("/_local/invocations").await.expect(200);
        let counted: Vec<Invocation> =
            serde_json::from_value(counted).expect("a list of invocations");
        let of_function = counted.into_iter().filter(|invocation| invocation.function == function);
        of_function.filter(|i| self.seen.insert(i.trace_id.clone())).map(|i| i.calls).collect()
    }

    /// Waits until `function`, which somebody else invokes, has called DynamoDB; notes what it
    /// asked for.
    async fn step_of_others(&mut self, function: &str) {
        for _ in 0..300 {
            if let Some(calls) =
                self.new_invocations(function).await.into_iter().find(|calls| !calls.is_empty())
            {
                self.measured.insert(function.to_owned(), calls);
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        panic!("{function} was not invoked");
    }
}

impl Walk {
    /// Unless a step has called `function`: sends its sample event, as the first who may.
    async fn sample(&mut self, function: &str, ids: &BTreeMap<&str, String>, callers: &[&Client]) {
        if self.measured.contains_key(function) {
            return;
        }
        described::samples();
        let event: Value = serde_json::from_str(&read(&format!("events/{function}.json")))
            .expect("a sample event");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (path, query) = (text(&event["rawPath"]), text(&event["rawQueryString"]));
        // With the id of an object that is there.
        let mut parts = path.splitn(4, '/');
        let (area, rest) = (parts.nth(1).unwrap_or_default(), parts.nth(1));
        let path = match (ids.get(area), event["pathParameters"].get("id")) {
            (Some(object), Some(_)) => [object, rest.unwrap_or_default()].join("/"),
            _ => path,
        };
        let path = format!("{}?{query}", path.trim_end_matches('/'));
        let method: http::Method =
            text(&event["requestContext"]["http"]["method"]).parse().unwrap();
        let mut answers = Vec::new();
        for caller in callers {
            self.new_invocations(function).await;
            let body = text(&event["body"]).into();
            let answer = caller.send(method.clone(), &path, "application/json", body).await;
            if answer.status.is_success() {
                return self.measure(function).await;
            }
            answers.push(answer.status);
        }
        panic!("write a step for {function}: its sample event got {answers:?} for {method} {path}");
    }
}

async fn order(client: &User, service: &str) -> String {
    let order = client.api.post("/orders", json!({"service_id": service})).await.expect(201);
    format!("/orders/{}", order["id"].as_str().expect("an id"))
}

#[tokio::test]
async fn every_endpoint_keeps_to_its_round_trips() {
    update_sources();
    let mut walk = Walk::new(Cloud::start("round-trips", &["--ephemeral"]));
    let api = walk.cloud.client();
    let (admin, client, worker) = (
        admin(&walk.cloud).await,
        client(&walk.cloud).await,
        worker(&walk.cloud, &["garden"]).await,
    );
    let none = || json!({});

    walk.step("index", api.get("/")).await;
    walk.step("health", api.get("/health")).await;
    walk.step("docs-openapi", api.get("/openapi.json")).await;
    walk.step("docs-ui", api.get("/docs")).await;
    walk.step("docs-files", api.get("/docs/start.js")).await;
    walk.step("docs-problems", api.get("/docs/problems/not_found")).await;

    // Accounts.
    let account = json!({"username": "newcomer", "email": "newcomer@example.com", "password": "correct horse", "role": "client"});
    walk.step("auth-register", api.post("/auth/register", account)).await;
    let grant =
        [("grant_type", "password"), ("username", "newcomer"), ("password", "correct horse")];
    walk.step("auth-token", api.form("/auth/token", &grant)).await;
    walk.step("auth-me", client.api.get("/auth/me")).await;

    walk.step(
        "auth-update",
        client
            .api
            .patch("/auth/me", json!({"username": "renamed", "email": "renamed@example.com"})),
    )
    .await;
    walk.step("auth-keys", api.get("/.well-known/jwks.json")).await;
    let leaver = crate::support::client(&walk.cloud).await;
    let passwords = json!({"current_password": leaver.password, "new_password": "battery staple"});
    walk.step("auth-password", leaver.api.post("/auth/password", passwords)).await;
    walk.step("auth-logout", leaver.api.post("/auth/logout", none())).await;

    // Users.
    let account = json!({"username": "second", "email": "second@example.com", "password": "correct horse", "role": "admin"});
    let user = walk.step("users-create", admin.api.post("/users", account)).await;
    let user = format!("/users/{}", user["id"].as_str().expect("an id"));
    walk.step("users-list", admin.api.get("/users")).await;
    walk.step("users-get", admin.api.get(&user)).await;
    let change = json!({"username": "third", "email": "third@example.com", "role": "client"});
    walk.step("users-update", admin.api.patch(&user, change)).await;
    walk.step("users-delete", admin.api.delete(&user)).await;

    // The catalogue.
    let fields =
        json!({"name": "Lawn", "description": "Mown.", "category": "garden", "price": price(1999)});
    let service = walk.step("services-create", admin.api.post("/services", fields)).await;
    let service = service["id"].as_str().expect("an id").to_owned();
    walk.step("services-list", api.get("/services")).await;
    walk.step("services-categories", api.get("/services/categories")).await;
    walk.step("services-get", api.get(&format!("/services/{service}"))).await;

    let moved = json!({"category": "Lawns"});
    walk.step("services-update", admin.api.patch(&format!("/services/{service}"), moved)).await;
    let short_lived =
        json!({"name": "Ice", "description": "Melts.", "category": "garden", "price": price(1999)});
    let short_lived = admin.api.post("/services", short_lived).await.expect(201);
    let short_lived = format!("/services/{}", short_lived["id"].as_str().expect("an id"));
    walk.step("services-delete", admin.api.delete(&short_lived)).await;

    // An order, up to its payment; Stripe's events are held back, so that to ask for its state
    // finds something new.
    walk.cloud.stripe().post("/_local/webhooks", json!({"mode": "hold"})).await.expect(200);
    let placed = walk
        .step("orders-create", client.api.post("/orders", json!({"service_id": service})))
        .await;
    let id = placed["id"].as_str().expect("an id").to_owned();
    let path = format!("/orders/{id}");
    walk.step("payments-create", client.api.post(&format!("{path}/payment"), none())).await;
    pay(&walk.cloud, &client, &id, "pm_card_visa").await;
    walk.step("payments-confirm", client.api.post(&format!("{path}/payment/confirm"), none()))
        .await;
    walk.step("payments-get", client.api.get(&format!("{path}/payment"))).await;
    walk.cloud.stripe().post("/_local/webhooks", json!({"mode": "deliver"})).await.expect(200);
    walk.cloud.stripe().post("/_local/webhooks/release", none()).await.expect(200);
    walk.step_of_others("webhooks-stripe").await;
    walk.step("webhooks-events", admin.api.get("/webhooks/stripe/events?state=mismatch")).await;
    let unpaid = order(&client, &service).await;
    client.api.post(&format!("{unpaid}/payment"), none()).await.expect(200);
    walk.step("payments-cancel", client.api.post(&format!("{unpaid}/payment/cancel"), none()))
        .await;

    // Its work.
    walk.step("orders-open", worker.api.get("/orders/open")).await;
    walk.step("orders-accept", worker.api.post(&format!("{path}/accept"), none())).await;
    walk.step(
        "messages-send",
        client.api.post(&format!("{path}/messages"), json!({"text": "Hello"})),
    )
    .await;
    walk.step("messages-list", client.api.get(&format!("{path}/messages"))).await;
    walk.step("orders-deliver", worker.api.post(&format!("{path}/deliver"), none())).await;
    walk.step("orders-complete", client.api.post(&format!("{path}/complete"), none())).await;
    walk.step("orders-get", client.api.get(&path)).await;
    walk.step("orders-list", client.api.get("/orders")).await;

    // What can go otherwise.
    let people =
        People { client: client.clone(), worker: worker.clone(), service: json!({"id": service}) };
    let unpaid = Job::of(&walk.cloud, &people, "pending").await;
    walk.step("orders-cancel", client.api.post(&unpaid.path("cancel"), body("cancel"))).await;
    let job = Job::of(&walk.cloud, &people, "assigned").await;
    walk.step("orders-release", worker.api.post(&job.path("release"), none())).await;
    job.moves(&worker, "accept").await;
    walk.step("orders-reassign", admin.api.post(&job.path("reassign"), none())).await;
    job.moves(&worker, "accept").await;
    job.moves(&worker, "deliver").await;
    walk.step("orders-request-revision", client.api.post(&job.path("request-revision"), none()))
        .await;
    walk.step("orders-dispute", worker.api.post(&job.path("dispute"), body("dispute"))).await;
    walk.step("orders-events", client.api.get(&job.path("events"))).await;
    walk.step("orders-resolve", admin.api.post(&job.path("resolve"), body("resolve"))).await;

    // Live.
    walk.step("live-ticket", client.api.post("/live/tickets", none())).await;
    walk.step("live-feed", client.api.get("/live/feed?feed=role:clients")).await;
    let broadcast = json!({"role": "worker", "text": "Hello"});
    walk.step("live-broadcast", admin.api.post("/live/broadcasts", broadcast)).await;

    let ids = BTreeMap::from([("orders", path), ("services", format!("/services/{service}"))]);
    for (_, _, function) in endpoints() {
        walk.sample(&function, &ids, &[&api, &client.api, &worker.api, &admin.api]).await;
    }

    judge(&walk.measured);
    compare(&document(&walk.measured));
}

/// Method, path and function of every endpoint. HEAD is what its GET is.
fn endpoints() -> impl Iterator<Item = (String, String, String)> {
    let routes = deployed().into_iter().flat_map(|(function, routes)| {
        routes.into_iter().map(move |(method, path)| (method, path, function.clone()))
    });
    routes.filter(|(method, ..)| method != "HEAD")
}

/// Holds what was measured against the rule, and against the list of endpoints.
fn judge(measured: &BTreeMap<String, Vec<Call>>) {
    let mut wrong = Vec::new();
    for (method, path, function) in endpoints() {
        let Some(calls) = measured.get(&function) else {
            wrong.push(format!(
                "{method} {path} ({function}) has no step in tests/it/wiring/round_trips.rs"
            ));
            continue;
        };
        let rule = if method == "GET" { 1 } else { 2 };
        let exception = EXCEPTIONS.iter().find(|(name, ..)| *name == function);
        let most = exception.map_or(rule, |(_, most, _)| *most);
        if calls.len() > most {
            let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
            wrong.push(format!(
                "{method} {path} ({function}) may make {most} calls, and made {operations:?}"
            ));
        } else if exception.is_some() && calls.len() <= rule {
            wrong.push(format!(
                "{function} is an exception, and needs not be one: it made {} calls",
                calls.len()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// docs/round-trips.md.
fn document(measured: &BTreeMap<String, Vec<Call>>) -> String {
    let mut text = String::from(
        "# Round trips\n\n\
         What each endpoint asks of DynamoDB. The target is one call for a read (a batch read of the\n\
         caller's account and the object) and two for a write (that read and a conditional write).\n\n\
         `UPDATE_WIRING=1 cargo test -p tests wiring` writes this page. It calls every endpoint of a\n\
         local cloud, which counts the calls. Without the variable, the same test fails when this page\n\
         differs from what it counts.\n\n\
         On-demand tables are billed by read and write request units. They include those of the\n\
         indexes, and are given for small items.\n\n\
         | endpoint | function | calls | read units | write units |\n|---|---|---|---|---|\n",
    );
    for (method, path, function) in endpoints() {
        let calls = &measured[&function];
        // Sorted: those that are sent at the same time arrive in any order.
        let mut operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
        operations.sort_unstable();
        let operations =
            if operations.is_empty() { "none".to_owned() } else { operations.join(", ") };
        let sum =
            |units: fn(&Call) -> f64| calls.iter().map(units).fold(0.0, |sum, units| sum + units);
        let (read, write) = (sum(|call| call.read_units), sum(|call| call.write_units));
        text.push_str(&format!(
            "| {method} {path} | `{function}` | {operations} | {read} | {write} |\n"
        ));
    }
    if !EXCEPTIONS.is_empty() {
        text.push_str("\nThe exceptions:\n\n");
    }
    for (function, most, reason) in EXCEPTIONS {
        text.push_str(&wrapped(&format!("- `{function}` may make {most} calls: {reason}.")));
    }
    text
}

/// A list item in lines of at most 100 columns.
fn wrapped(item: &str) -> String {
    let (mut text, mut width) = (String::new(), 0);
    for word in item.split(' ') {
        if width + 1 + word.len() > 100 {
            text.push_str("\n ");
            width = 1;
        }
        if width > 0 {
            text.push(' ');
            width += 1;
        }
        text.push_str(word);
        width += word.len();
    }
    text + "\n"
}

fn compare(document: &str) {
    let path = workspace().join("docs/round-trips.md");
    if super::updates() {
        std::fs::write(&path, document).expect("docs can be written");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let ((text, units), (now, units_now)) = (split(&committed), split(document));
    let stale =
        "docs/round-trips.md is not what was counted: UPDATE_WIRING=1 cargo test -p tests wiring";
    assert_eq!(text, now, "{stale}");
    // An item may be a few bytes larger than in the last walk, and so need one unit more.
    let differ = units.iter().zip(&units_now).any(|(then, now)| (then - now).abs() > 1.0);
    assert!(!differ, "{stale}; units were {units:?}, and are {units_now:?}");
}

/// The document without its columns of units, and those.
fn split(document: &str) -> (String, Vec<f64>) {
    let (mut text, mut units) = (String::new(), Vec::new());
    for cell in document.split_inclusive('|') {
        match cell.trim_end_matches('|').trim().parse::<f64>() {
            Ok(number) => units.push(number),
            Err(_) => text.push_str(cell),
        }
    }
    (text, units)
}
