//! Faults that tests inject. `POST /_local/faults` makes matching requests fail as they can fail in
//! production, `GET` lists the pending faults, and `DELETE` clears them.

use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A fault, as posted to `/_local/faults`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// If set, only requests from this function fail.
    function: Option<String>,
    /// The operation that fails, such as `PutItem` or `dynamodb:PutItem`.
    action: String,
    /// If set, only requests that name this table fail.
    table: Option<String>,
    error: FaultKind,
    /// How many requests fail.
    #[serde(default = "once")]
    times: u32,
    /// How many matching requests succeed before the first one fails.
    #[serde(default)]
    skip: u32,
}

/// How a request fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FaultKind {
    /// Another transaction is using the item.
    TransactionConflict,
    /// DynamoDB throttles the request.
    ProvisionedThroughputExceededException,
    /// DynamoDB answers with status 500.
    InternalServerError,
    /// The request is neither executed nor answered.
    #[serde(rename = "timeout")]
    Timeout,
    /// The request is executed, but the connection breaks before the response.
    #[serde(rename = "lost_response")]
    LostResponse,
}

fn once() -> u32 {
    1
}

/// The pending faults.
#[derive(Debug, Default)]
pub struct Faults(Mutex<Vec<Fault>>);

impl Faults {
    /// Adds a pending fault.
    pub fn add(&self, fault: Fault) {
        self.lock().push(fault);
    }

    /// Returns the pending faults as JSON.
    ///
    /// # Errors
    /// When they can't be serialized.
    pub fn to_json(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(&*self.lock())
    }

    /// Removes all pending faults.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// Returns the fault that applies to this request, and counts it as used once.
    pub fn apply(
        &self,
        function: Option<&str>,
        operation: &str,
        tables: &[&str],
    ) -> Option<FaultKind> {
        let mut faults = self.lock();
        let mut applied = None;
        for fault in faults.iter_mut().filter(|f| f.matches(function, operation, tables)) {
            if fault.skip > 0 {
                fault.skip -= 1;
            } else if applied.is_none() && fault.times > 0 {
                fault.times -= 1;
                applied = Some(fault.error);
            }
        }
        faults.retain(|f| f.times > 0);
        applied
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Fault>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fault {
    fn matches(&self, function: Option<&str>, operation: &str, tables: &[&str]) -> bool {
        self.action.strip_prefix("dynamodb:").unwrap_or(&self.action) == operation
            && self.function.as_deref().is_none_or(|wanted| function == Some(wanted))
            && self.table.as_deref().is_none_or(|table| tables.contains(&table))
    }
}

/// Returns the status and body of DynamoDB's error response, or `None` for the kinds without a
/// response.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>
pub fn response(kind: FaultKind, operation: &str, body: &Value) -> Option<(u16, Value)> {
    let error = |status, code: &str, message: &str| {
        Some((
            status,
            json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{code}"), "message": message}),
        ))
    };
    match kind {
        FaultKind::TransactionConflict if operation.starts_with("Transact") => {
            let parts = body["TransactItems"].as_array().map_or(1, Vec::len);
            let reason = |i| match i {
                0 => {
                    json!({"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"})
                }
                _ => json!({"Code": "None"}),
            };
            let codes: Vec<_> =
                (0..parts).map(|i| if i == 0 { "TransactionConflict" } else { "None" }).collect();
            Some((
                400,
                json!({
                    "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
                    "Message": format!(
                        "Transaction cancelled, please refer cancellation reasons for specific \
                         reasons [{}]",
                        codes.join(", ")
                    ),
                    "CancellationReasons": (0..parts).map(reason).collect::<Vec<_>>(),
                }),
            ))
        }
        FaultKind::TransactionConflict => {
            error(400, "TransactionConflictException", "Transaction is ongoing for the item")
        }
        FaultKind::ProvisionedThroughputExceededException => error(
            400,
            "ProvisionedThroughputExceededException",
            "The level of configured provisioned throughput for the table was exceeded. Consider \
             increasing your provisioning level with the UpdateTable API.",
        ),
        FaultKind::InternalServerError => {
            error(500, "InternalServerError", "Internal server error")
        }
        FaultKind::Timeout | FaultKind::LostResponse => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(fault: Value) -> Faults {
        let faults = Faults::default();
        faults.add(serde_json::from_value(fault).unwrap());
        faults
    }

    #[test]
    fn a_fault_skips_requests_then_fails_the_given_number() {
        let faults =
            faults(json!({"action": "PutItem", "error": "timeout", "times": 2, "skip": 1}));
        let failed: Vec<_> = (0..4).map(|_| faults.apply(None, "PutItem", &[]).is_some()).collect();
        assert_eq!(failed, [false, true, true, false]);
    }

    #[test]
    fn a_fault_matches_only_its_function_action_and_table() {
        let faults = faults(json!({
            "function": "orders-create", "action": "dynamodb:PutItem", "table": "t", "error": "InternalServerError"
        }));
        assert_eq!(faults.apply(Some("orders-get"), "PutItem", &["t"]), None);
        assert_eq!(faults.apply(Some("orders-create"), "GetItem", &["t"]), None);
        assert_eq!(faults.apply(Some("orders-create"), "PutItem", &["u"]), None);
        assert_eq!(
            faults.apply(Some("orders-create"), "PutItem", &["t"]),
            Some(FaultKind::InternalServerError)
        );
    }

    #[test]
    fn a_conflict_cancels_the_transaction() {
        let body = json!({"TransactItems": [{}, {}]});
        let (status, response) =
            response(FaultKind::TransactionConflict, "TransactWriteItems", &body).unwrap();
        assert_eq!(status, 400);
        assert_eq!(response["CancellationReasons"][0]["Code"], "TransactionConflict");
        assert_eq!(response["CancellationReasons"][1]["Code"], "None");
    }

    #[test]
    fn an_unknown_fault_is_rejected() {
        assert!(
            serde_json::from_value::<Fault>(json!({"action": "PutItem", "error": "Gremlins"}))
                .is_err()
        );
    }
}
