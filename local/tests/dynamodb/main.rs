//! A differential test: sends the same calls to the local cloud's DynamoDB and to DynamoDB Local,
//! which is AWS's own, and compares the answers.
//!
//! `.ci/dynamodb-local` runs it. By hand, with DynamoDB Local on port 8010:
//!
//! ```text
//! DYNAMODB_URL=http://localhost:8010 cargo test -p local --test dynamodb -- --include-ignored
//! ```
//!
//! `calls/` has one file per kind of call. A call is a name, an operation and a JSON body, which is
//! sent as it is: an SDK would hide or repair mistakes. [`known`] lists the differences that
//! remain, with reasons. A listed difference that no longer exists fails the test.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod calls;
mod compare;
mod endpoint;
mod known;
mod local_cloud;
#[path = "../support/mod.rs"]
mod support;
mod tables;

use std::fmt::Write as _;

use calls::Call;
use compare::Answer;
use endpoint::Endpoint;

/// Sends the calls of one kind to both, each with fresh tables, and panics with a list of the
/// differences that aren't as [`known`] says.
async fn compare(kind: &str, calls: Vec<Call>) {
    let url = std::env::var("DYNAMODB_URL").expect(
        "DYNAMODB_URL names the DynamoDB Local to compare with; .ci/dynamodb-local starts one",
    );
    let cloud = local_cloud::start();
    let local = Endpoint::new(cloud.url("dynamodb"), kind);
    let judge = Endpoint::new(&url, kind);
    for table in tables::definitions() {
        judge.create_table(&table).await;
    }
    let (mut locals, mut judges) = (endpoint::Answers::default(), endpoint::Answers::default());
    let mut problems = String::new();
    for call in &calls {
        let local = Answer::of(call, &local.send(call, &mut locals).await);
        let judge = Answer::of(call, &judge.send(call, &mut judges).await);
        let known = known::reason(kind, call.name);
        match (local.is_like(&judge), known) {
            (true, None) | (false, Some(_)) => {}
            (true, Some(_)) => {
                writeln!(problems, "\n{}: no longer differs. Remove it from known.rs", call.name)
                    .unwrap();
            }
            (false, None) => {
                write!(
                    problems,
                    "\n{} ({})\n  local cloud:    {local}\n  DynamoDB Local: {judge}\n",
                    call.name, call.operation
                )
                .unwrap();
            }
        }
    }
    assert!(problems.is_empty(), "{problems}");
}

macro_rules! tests {
    ($($kind:ident)*) => {
        $(
            #[tokio::test]
            #[ignore = "compares with DynamoDB Local: run .ci/dynamodb-local"]
            async fn $kind() {
                compare(stringify!($kind), calls::$kind::calls()).await;
            }
        )*

        /// Every kind with its calls.
        fn all() -> Vec<(&'static str, Vec<Call>)> {
            vec![$((stringify!($kind), calls::$kind::calls())),*]
        }
    };
}

tests! {
    batches
    conditions
    expressions
    items
    protocol
    queries
    scans
    sizes
    streams
    table_operations
    transactions
    updates
}

#[test]
fn names_are_unique_and_known_differences_name_calls() {
    let names: Vec<(&str, &str)> = all()
        .iter()
        .flat_map(|(kind, calls)| calls.iter().map(|call| (*kind, call.name)))
        .collect();
    for (i, name) in names.iter().enumerate() {
        assert!(!names[..i].contains(name), "two calls are named {name:?}");
    }
    for name in known::names() {
        assert!(names.contains(&name), "known.rs names {name:?}, which is not a call");
    }
}
