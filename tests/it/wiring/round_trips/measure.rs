//! Counts the DynamoDB calls of each request.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use serde_json::Value;

use crate::support::{Client, Cloud, Response, eventually};
use crate::wiring::invocations::{Call, invocations};
use crate::wiring::sample_event;

/// Sends one request at a time, and records the DynamoDB calls of each.
pub struct CallRecorder {
    pub cloud: Cloud,
    seen: BTreeSet<String>,
    pub measured: BTreeMap<String, Vec<Call>>,
}

impl CallRecorder {
    pub fn new(cloud: Cloud) -> Self {
        Self { cloud, seen: BTreeSet::new(), measured: BTreeMap::new() }
    }

    /// Sends a request that `function` must answer with success, and records its calls.
    pub async fn step(&mut self, function: &str, request: impl Future<Output = Response>) -> Value {
        self.take_new_calls(function).await;
        let answer = request.await;
        assert!(answer.status.is_success(), "{function}: {} {:#}", answer.status, answer.body);
        self.measure(function).await;
        answer.body
    }

    /// Records the calls that `function` made since the last step. Panics if it was invoked more
    /// than once in that time.
    async fn measure(&mut self, function: &str) {
        let mut new = self.take_new_calls(function).await;
        assert!(new.len() < 2, "{function} was invoked {} times by one step", new.len());
        // Invocations without calls are not listed.
        let calls = new.pop().unwrap_or_default();
        assert!(calls.iter().all(|call| !call.denied && !call.error), "{function}: {calls:?}");
        assert!(
            self.measured.insert(function.to_owned(), calls).is_none(),
            "{function} is measured twice"
        );
    }

    /// Returns the calls of each invocation of `function` that it has not returned before.
    async fn take_new_calls(&mut self, function: &str) -> Vec<Vec<Call>> {
        let of_function =
            invocations(&self.cloud).await.into_iter().filter(|i| i.function == function);
        of_function.filter(|i| self.seen.insert(i.trace_id.clone())).map(|i| i.calls).collect()
    }

    /// Sends the sample event of `function`, unless a step has measured it already. Tries the
    /// `callers` in turn and records the calls of the first request that succeeds. If the path
    /// starts with `/<area>/<id>`, this part is replaced with `object_paths[area]`, so that the
    /// request is about an existing object.
    pub async fn sample(
        &mut self,
        function: &str,
        object_paths: &BTreeMap<&str, String>,
        callers: &[&Client],
    ) {
        if self.measured.contains_key(function) {
            return;
        }
        let event = sample_event(function);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (mut path, query) = (text(&event["rawPath"]), text(&event["rawQueryString"]));
        let mut parts = path.splitn(4, '/').skip(1);
        let (area, id, rest) = (parts.next(), parts.next(), parts.next());
        let is_id = event["pathParameters"]["id"].as_str() == id;
        if let Some(object) = area.and_then(|area| object_paths.get(area)).filter(|_| is_id) {
            path = [object, rest.unwrap_or_default()].join("/").trim_end_matches('/').to_owned();
        }
        if !query.is_empty() {
            path = format!("{path}?{query}");
        }
        let method: Method = text(&event["requestContext"]["http"]["method"]).parse().unwrap();
        let mut statuses = Vec::new();
        for caller in callers {
            self.take_new_calls(function).await;
            let body = text(&event["body"]).into();
            let answer = caller.send(method.clone(), &path, "application/json", body).await;
            if answer.status.is_success() {
                return self.measure(function).await;
            }
            statuses.push(answer.status.as_u16());
        }
        panic!(
            "{method} {path} got {statuses:?}: write a step for {function} in \
             tests/it/wiring/round_trips.rs"
        );
    }

    /// Waits until `function`, invoked by something other than a request of the test, has called
    /// DynamoDB, and records its calls.
    pub async fn indirect_step(&mut self, function: &str) {
        let calls = eventually(&format!("{function} calls DynamoDB"), async || {
            let invocations = self.take_new_calls(function).await;
            invocations.into_iter().find(|calls| !calls.is_empty())
        })
        .await;
        self.measured.insert(function.to_owned(), calls);
    }
}
