//! Counts what a local cloud's functions use.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::template::Template;
use super::usage::{Item, Usage};
use crate::support::{Cloud, eventually};
use crate::wiring::invocations::{Invocation, invocations};

/// How long an invocation is estimated to run beside its calls, in milliseconds.
pub const INVOCATION_MS: f64 = 3.0;
/// How long a call of DynamoDB is estimated to take, in milliseconds.
pub const DATABASE_CALL_MS: f64 = 5.0;
/// How long a call of Stripe is estimated to take, in milliseconds.
pub const STRIPE_CALL_MS: f64 = 400.0;
/// How long hashing a password is estimated to take, in milliseconds.
pub const HASH_MS: f64 = 50.0;
/// The size of the log of an invocation is estimated at this many bytes.
pub const LOG_BYTES: f64 = 1000.0;
/// The size of a response or frame is estimated at this many bytes.
pub const RESPONSE_BYTES: f64 = 2000.0;

const GB: f64 = 1e9;

/// Measures what requests to a local cloud use.
pub struct Meter {
    pub cloud: Cloud,
    pub template: Template,
    counted: BTreeSet<String>,
}

impl Meter {
    pub fn new(cloud: Cloud) -> Self {
        Self { cloud, template: Template::read(), counted: BTreeSet::new() }
    }

    /// Returns what `work` uses, including the invocations that follow from it. `work` returns how
    /// many messages sockets sent and received.
    pub async fn measure(&mut self, work: impl AsyncFnOnce(&Cloud) -> usize) -> Usage {
        // Invocations that follow from earlier work are not part of it.
        self.new_invocations().await;
        let stored = self.stored_bytes().await;
        let messages = work(&self.cloud).await as f64;
        let invocations = self.new_invocations().await;
        let stored = (self.stored_bytes().await - stored).max(0.0);
        let sockets = Usage::of([
            (Item::SocketMessages, messages),
            (Item::SentGb, messages * RESPONSE_BYTES / GB),
            (Item::StoredGb, stored / GB),
        ]);
        invocations.iter().map(|invocation| self.usage(invocation)).fold(sockets, |sum, u| sum + u)
    }

    /// Waits until no function has called DynamoDB for a second. Returns the invocations since the
    /// last call of this method.
    async fn new_invocations(&mut self) -> Vec<Invocation> {
        let mut before = None;
        let invocations = eventually("the functions are idle", async || {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let listed = invocations(&self.cloud).await;
            let calls: usize = listed.iter().map(|invocation| invocation.calls.len()).sum();
            (before.replace(calls) == Some(calls)).then_some(listed)
        })
        .await;
        let is_new = |invocation: &Invocation| self.counted.insert(invocation.trace_id.clone());
        invocations.into_iter().filter(is_new).collect()
    }

    /// The size of the marketplace table's items, as JSON.
    async fn stored_bytes(&self) -> f64 {
        let scan = json!({"TableName": self.cloud.table().await});
        let items = self.cloud.dynamodb("Scan", scan).await;
        assert_eq!(items["LastEvaluatedKey"], Value::Null, "the table is one page");
        items["Items"].to_string().len() as f64
    }

    fn usage(&self, invocation: &Invocation) -> Usage {
        let name = invocation.function.as_str();
        let function = self.template.function(name);
        let requests =
            if function.events.iter().any(|event| event == "HttpApi") { 1.0 } else { 0.0 };
        let calls_stripe = ["payments-create", "payments-confirm", "payments-apply"];
        let hashes = ["auth-token", "auth-register", "auth-password"];
        let count = |functions: &[&str]| if functions.contains(&name) { 1.0 } else { 0.0 };
        let ms = INVOCATION_MS
            + DATABASE_CALL_MS * invocation.calls.len() as f64
            + STRIPE_CALL_MS * count(&calls_stripe)
            + HASH_MS * count(&hashes);
        let calls = || invocation.calls.iter();
        Usage::of([
            (Item::HttpRequests, requests),
            (Item::Invocations, 1.0),
            (Item::GbSeconds, ms / 1000.0 * function.memory_mb / 1024.0),
            (Item::ReadUnits, calls().map(|call| call.read_units).sum()),
            (Item::WriteUnits, calls().map(|call| call.write_units).sum()),
            (Item::LogGb, LOG_BYTES / GB),
            (Item::Traces, if self.template.traces { 1.0 } else { 0.0 }),
            (Item::SentGb, requests * RESPONSE_BYTES / GB),
        ])
    }
}
