//! How often each function calls DynamoDB, and what that would be billed: `GET /_local/stats`.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

/// Counters of one operation of one function.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Counters {
    /// Requests, refused ones included.
    pub calls: u64,
    /// Those refused by IAM.
    pub denied: u64,
    /// Those answered with an error, failed conditions among them.
    pub errors: u64,
    /// Read or write capacity units, by the kind of operation.
    pub capacity_units: f64,
}

/// Function to operation to counters; those who are no function are `-`.
#[derive(Debug, Default)]
pub struct Stats(Mutex<BTreeMap<String, BTreeMap<String, Counters>>>);

impl Stats {
    /// Adds to the counters of an operation.
    pub fn count(&self, function: Option<&str>, operation: &str, add: impl FnOnce(&mut Counters)) {
        let mut stats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let operations = stats.entry(function.unwrap_or("-").to_owned()).or_default();
        add(operations.entry(operation.to_owned()).or_default());
    }

    /// `{"orders-create": {"PutItem": {"calls": 1, "denied": 0, "errors": 0, "capacity_units": 2.0}}}`.
    pub fn to_json(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(&*self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
