//! Checks how many DynamoDB calls each endpoint makes, and writes docs/round-trips.md.

use std::collections::BTreeMap;

use super::measure::Call;
use crate::support::workspace;
use crate::wiring::{deployed, paragraph, updates};

/// A function that may make more calls than the rule allows.
struct Exception {
    function: &'static str,
    /// The most calls it may make.
    calls: usize,
    /// Why: the end of the sentence "`auth-token` makes up to 7 calls".
    reason: &'static str,
}

const EXCEPTIONS: [Exception; 9] = [
    Exception {
        function: "auth-token",
        calls: 7,
        reason: " in three round trips: count the attempt for username and address while looking \
                 the account up by its username, read the account, write the session while \
                 undoing the count",
    },
    Exception {
        function: "auth-password",
        calls: 4,
        reason: " in three round trips: the caller's account status, a conditional counter, and \
                 the account while undoing the count",
    },
    Exception {
        function: "users-list",
        calls: 2,
        reason: " in one round trip: personal data is shown only to callers who are \
                 administrators now, not just when the token was issued",
    },
    Exception {
        function: "orders-open",
        calls: 4,
        reason: " in one round trip: the pool is spread over four partitions",
    },
    Exception {
        function: "messages-list",
        calls: 2,
        reason: ": the order decides whose messages the caller may read",
    },
    Exception {
        function: "messages-send",
        calls: 3,
        reason: ": a conditional counter limits how many messages a user sends",
    },
    Exception {
        function: "live-ticket",
        calls: 3,
        reason: ": a conditional counter limits how many tickets a user gets",
    },
    Exception {
        function: "live-broadcast",
        calls: 3,
        reason: ": a conditional counter limits how many broadcasts a user sends",
    },
    Exception {
        function: "live-feed",
        calls: 2,
        reason: ": the account decides whether the caller may read the feed",
    },
];

/// Method, path and function of every endpoint. HEAD is left out, because it does what its GET
/// does.
pub fn endpoints() -> impl Iterator<Item = (String, String, String)> {
    let routes = deployed().into_iter().flat_map(|(function, routes)| {
        routes.into_iter().map(move |(method, path)| (method, path, function.clone()))
    });
    routes.filter(|(method, ..)| method != "HEAD")
}

/// Asserts that every endpoint was measured and keeps to the rule or its exception.
pub fn assert_within_limits(measured: &BTreeMap<String, Vec<Call>>) {
    let mut wrong = Vec::new();
    for (method, path, function) in endpoints() {
        let Some(calls) = measured.get(&function) else {
            wrong.push(format!(
                "{method} {path} ({function}) has no step in tests/it/wiring/round_trips.rs"
            ));
            continue;
        };
        let rule = if method == "GET" { 1 } else { 2 };
        let exception = EXCEPTIONS.iter().find(|exception| exception.function == function);
        let most = exception.map_or(rule, |exception| exception.calls);
        if calls.len() > most {
            let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
            wrong.push(format!(
                "{method} {path} ({function}) may make {most} calls, and made {operations:?}"
            ));
        } else if exception.is_some() && calls.len() <= rule {
            wrong.push(format!(
                "{function} no longer needs to be an exception: it made {} calls",
                calls.len()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The text of docs/round-trips.md.
pub fn document(measured: &BTreeMap<String, Vec<Call>>) -> String {
    let mut text = String::from(
        "\
# Round trips

The DynamoDB calls of each endpoint. The target is one call for a read and two for a write: one
batch read (the caller's account status and the object) and one conditional write.

`UPDATE_WIRING=1 cargo test -p tests wiring` writes this page: it sends requests to every
endpoint of a local cloud, which counts the calls. Without the variable the same test fails when
this page is outdated.

Read and write units are the request units that on-demand tables are billed by, including indexes,
for small items.

| endpoint | function | calls | read units | write units |
|---|---|---|---|---|
",
    );
    for (method, path, function) in endpoints() {
        let calls = &measured[&function];
        // Sorted, because concurrent calls arrive in any order.
        let mut operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
        operations.sort_unstable();
        let operations =
            if operations.is_empty() { "none".to_owned() } else { operations.join(", ") };
        // Not sum(), which is -0 for no calls.
        let sum =
            |units: fn(&Call) -> f64| calls.iter().map(units).fold(0.0, |sum, units| sum + units);
        let (read, write) = (sum(|call| call.read_units), sum(|call| call.write_units));
        text.push_str(&format!(
            "| {method} {path} | `{function}` | {operations} | {read} | {write} |\n"
        ));
    }
    text.push_str("\nExceptions:\n\n");
    for Exception { function, calls, reason } in EXCEPTIONS {
        text.push_str(&paragraph(&format!("- `{function}` makes up to {calls} calls{reason}.")));
    }
    text
}

/// Asserts that docs/round-trips.md is up to date, or writes it when `UPDATE_WIRING` is set.
pub fn check_or_update(document: &str) {
    let path = workspace().join("docs/round-trips.md");
    if updates() {
        std::fs::write(&path, document).expect("docs can be written");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let ((text, units), (now, units_now)) = (split(&committed), split(document));
    let stale = "docs/round-trips.md is outdated: run UPDATE_WIRING=1 cargo test -p tests wiring";
    assert_eq!(text, now, "{stale}");
    // DynamoDB Local counts units differently.
    if std::env::var("LOCAL_FLAGS").is_ok_and(|flags| flags.contains("--dynamodb")) {
        return;
    }
    // An item may be a few bytes larger than in the last run, and need one more unit.
    let differ = units.iter().zip(&units_now).any(|(then, now)| (then - now).abs() > 1.0);
    assert!(!differ, "{stale}; units were {units:?}, and are {units_now:?}");
}

/// The document without its columns of units, and the units.
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
