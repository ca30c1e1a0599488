//! Counts each function's DynamoDB calls and their billed capacity, in total (`GET /_local/stats`)
//! and for each of the last invocations (`GET /_local/invocations`). The AWS SDK sends the trace id
//! of the invocation with each call, because Lambda uses it to detect recursive loops. The calls of
//! an invocation are found by this id.
//! <https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html>

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

/// How many invocations are kept.
const MAX_INVOCATIONS: usize = 1000;

/// The origin of a call.
#[derive(Debug, Clone, Copy)]
pub struct Caller<'c> {
    /// The function's name, or `None` for other callers.
    pub function: Option<&'c str>,
    /// The trace header, if there is one: `Root=1-<seconds>-<24 digits>;...`.
    pub trace: Option<&'c str>,
}

/// One request to DynamoDB.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Call {
    /// The operation, such as `PutItem`.
    pub operation: String,
    /// Whether IAM denied it.
    pub denied: bool,
    /// Whether DynamoDB answered with an error, such as a failed condition.
    pub error: bool,
    /// Read capacity units.
    pub read_units: f64,
    /// Write capacity units, including those of indexes.
    pub write_units: f64,
}

/// The counters of one operation, called by one function.
#[derive(Debug, Clone, Copy, Default, Serialize)]
struct Counters {
    /// All calls, including denied ones.
    calls: u64,
    /// Calls that IAM denied.
    denied: u64,
    /// Calls that DynamoDB answered with an error, including failed conditions.
    errors: u64,
    /// Read or write capacity units. Each operation consumes only one kind.
    capacity_units: f64,
}

/// The DynamoDB calls of one invocation.
#[derive(Debug, Serialize)]
struct Invocation {
    function: String,
    /// `1-<seconds>-<24 digits>`. The invocation's request id ends with the same digits.
    trace_id: String,
    calls: Vec<Call>,
}

/// The calls counted so far.
#[derive(Debug, Default)]
pub struct Stats(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    /// Counters by function and operation. The function is `-` for other callers.
    totals: BTreeMap<String, BTreeMap<String, Counters>>,
    /// The latest one is last.
    invocations: VecDeque<Invocation>,
}

impl Stats {
    /// Counts one call.
    pub fn count(&self, caller: Caller<'_>, call: Call) {
        let mut counts = self.lock();
        let operations =
            counts.totals.entry(caller.function.unwrap_or("-").to_owned()).or_default();
        let counters = operations.entry(call.operation.clone()).or_default();
        counters.calls += 1;
        counters.denied += u64::from(call.denied);
        counters.errors += u64::from(call.error);
        counters.capacity_units += call.read_units + call.write_units;
        if let (Some(function), Some(trace_id)) = (caller.function, caller.trace.and_then(trace_id))
        {
            counts.record(function, trace_id, call);
        }
    }

    /// Returns the totals as JSON: `{"orders-create": {"PutItem": {"calls": 1, "denied": 0,
    /// "errors": 0, "capacity_units": 2.0}}}`.
    ///
    /// # Errors
    /// When they can't be serialized.
    pub fn totals(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(&self.lock().totals)
    }

    /// Returns the last invocations as JSON, the latest one last: `[{"function": "orders-create",
    /// "trace_id": "1-...", "calls": [{"operation": "PutItem", ...}]}]`.
    ///
    /// # Errors
    /// When they can't be serialized.
    pub fn invocations(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(&self.lock().invocations)
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    fn record(&mut self, function: &str, trace_id: &str, call: Call) {
        if let Some(invocation) = self.invocations.iter_mut().rev().find(|i| i.trace_id == trace_id)
        {
            return invocation.calls.push(call);
        }
        if self.invocations.len() == MAX_INVOCATIONS {
            self.invocations.pop_front();
        }
        let (function, trace_id) = (function.to_owned(), trace_id.to_owned());
        self.invocations.push_back(Invocation { function, trace_id, calls: vec![call] });
    }
}

/// Extracts the trace id from `Root=<trace id>;Parent=...;Sampled=0`.
fn trace_id(header: &str) -> Option<&str> {
    header.split(';').find_map(|part| part.trim().strip_prefix("Root="))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(operation: &str) -> Call {
        Call { operation: operation.into(), read_units: 0.5, ..Call::default() }
    }

    #[test]
    fn calls_are_grouped_by_invocation_and_the_oldest_invocation_is_dropped() {
        let stats = Stats::default();
        for n in 0..=MAX_INVOCATIONS {
            let trace = format!("Root=1-{n};Sampled=0");
            let caller = Caller { function: Some("orders-get"), trace: Some(&trace) };
            stats.count(caller, call("GetItem"));
            stats.count(caller, call("Query"));
        }
        stats.count(Caller { function: Some("orders-get"), trace: None }, call("GetItem"));
        stats.count(Caller { function: None, trace: Some("Root=1-x") }, call("GetItem"));
        let counts = stats.lock();
        assert_eq!(counts.totals["orders-get"]["GetItem"].calls, MAX_INVOCATIONS as u64 + 2);
        assert_eq!(counts.totals["-"]["GetItem"].calls, 1);
        assert_eq!(counts.invocations.len(), MAX_INVOCATIONS);
        assert_eq!(counts.invocations[0].trace_id, "1-1");
        let operations: Vec<_> =
            counts.invocations[0].calls.iter().map(|c| c.operation.as_str()).collect();
        assert_eq!(operations, ["GetItem", "Query"]);
    }
}
