//! Counts each function's calls to DynamoDB and the capacity they use: in total (`GET
//! /_local/stats`), and for each recent invocation (`GET /_local/invocations`).
//!
//! The AWS SDK sends the trace id of its invocation (AWS detects endless loops by it), which says
//! which invocation a call belongs to.
//! <https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html>

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

/// How many invocations are remembered.
const REMEMBERED: usize = 1000;

/// The caller of a request.
#[derive(Debug, Clone, Copy)]
pub struct Caller<'c> {
    /// The function; `None` for other callers.
    pub function: Option<&'c str>,
    /// `Root=1-<seconds>-<24 digits>;...`, if it said so.
    pub trace: Option<&'c str>,
}

/// One request to DynamoDB.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Call {
    /// `PutItem`.
    pub operation: String,
    /// IAM refused it.
    pub denied: bool,
    /// It was answered with an error, such as a failed condition.
    pub error: bool,
    /// Read capacity units.
    pub read_units: f64,
    /// Write capacity units, those of indexes included.
    pub write_units: f64,
}

/// Counters of one operation of one function.
#[derive(Debug, Clone, Copy, Default, Serialize)]
struct Counters {
    /// Requests, refused ones included.
    calls: u64,
    /// Those refused by IAM.
    denied: u64,
    /// Those answered with an error, failed conditions among them.
    errors: u64,
    /// Read and write capacity units: an operation has one kind only.
    capacity_units: f64,
}

/// The calls of one invocation.
#[derive(Debug, Serialize)]
struct Invocation {
    function: String,
    /// `1-<seconds>-<24 digits>`; these digits end its request id.
    trace_id: String,
    calls: Vec<Call>,
}

/// The counters.
#[derive(Debug, Default)]
pub struct Stats(Mutex<Counted>);

#[derive(Debug, Default)]
struct Counted {
    /// Function to operation to counters; callers that are not functions are `-`.
    totals: BTreeMap<String, BTreeMap<String, Counters>>,
    /// The latest is the last.
    invocations: VecDeque<Invocation>,
}

impl Stats {
    /// Counts one call.
    pub fn count(&self, caller: Caller<'_>, call: Call) {
        let mut counted = self.counted();
        let operations =
            counted.totals.entry(caller.function.unwrap_or("-").to_owned()).or_default();
        let counters = operations.entry(call.operation.clone()).or_default();
        counters.calls += 1;
        counters.denied += u64::from(call.denied);
        counters.errors += u64::from(call.error);
        counters.capacity_units += call.read_units + call.write_units;
        if let (Some(function), Some(trace_id)) = (caller.function, caller.trace.and_then(root)) {
            counted.remember(function, trace_id, call);
        }
    }

    /// `{"orders-create": {"PutItem": {"calls": 1, "denied": 0, "errors": 0, "capacity_units":
    /// 2.0}}}`.
    pub fn totals(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(&self.counted().totals)
    }

    /// `[{"function": "orders-create", "trace_id": "1-...", "calls": [{"operation": "PutItem",
    /// ...}]}]`, the latest last.
    pub fn invocations(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(&self.counted().invocations)
    }

    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counted {
    fn remember(&mut self, function: &str, trace_id: &str, call: Call) {
        if let Some(invocation) = self.invocations.iter_mut().rev().find(|i| i.trace_id == trace_id)
        {
            return invocation.calls.push(call);
        }
        if self.invocations.len() == REMEMBERED {
            self.invocations.pop_front();
        }
        let (function, trace_id) = (function.to_owned(), trace_id.to_owned());
        self.invocations.push_back(Invocation { function, trace_id, calls: vec![call] });
    }
}

/// The trace id in `Root=<trace id>;Parent=...;Sampled=0`.
fn root(header: &str) -> Option<&str> {
    header.split(';').find_map(|part| part.trim().strip_prefix("Root="))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(operation: &str) -> Call {
        Call { operation: operation.into(), read_units: 0.5, ..Call::default() }
    }

    #[test]
    fn calls_are_told_apart_by_invocation_and_the_oldest_is_forgotten() {
        let stats = Stats::default();
        for n in 0..=REMEMBERED {
            let trace = format!("Root=1-{n};Sampled=0");
            let caller = Caller { function: Some("orders-get"), trace: Some(&trace) };
            stats.count(caller, call("GetItem"));
            stats.count(caller, call("Query"));
        }
        stats.count(Caller { function: Some("orders-get"), trace: None }, call("GetItem"));
        stats.count(Caller { function: None, trace: Some("Root=1-x") }, call("GetItem"));
        let counted = stats.counted();
        assert_eq!(counted.totals["orders-get"]["GetItem"].calls, REMEMBERED as u64 + 2);
        assert_eq!(counted.totals["-"]["GetItem"].calls, 1);
        assert_eq!(counted.invocations.len(), REMEMBERED);
        assert_eq!(counted.invocations[0].trace_id, "1-1");
        let operations: Vec<_> =
            counted.invocations[0].calls.iter().map(|c| c.operation.as_str()).collect();
        assert_eq!(operations, ["GetItem", "Query"]);
    }
}
