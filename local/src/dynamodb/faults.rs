//! Faults on demand: `POST /_local/faults` makes chosen requests fail as DynamoDB does in
//! production; `GET` lists the faults that are still waiting.

use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The body of `POST /_local/faults`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Only requests of this function; otherwise anyone's.
    function: Option<String>,
    /// `PutItem`, `TransactWriteItems`, ...: the operation.
    action: String,
    /// Only requests that name this table.
    table: Option<String>,
    error: FaultKind,
    /// How many requests fail.
    #[serde(default = "once")]
    times: u32,
    /// How many matching requests pass before the first that fails.
    #[serde(default)]
    skip: u32,
}

/// How a request fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FaultKind {
    /// Another transaction touches the item.
    TransactionConflict,
    /// Throttled.
    ProvisionedThroughputExceededException,
    /// A 500.
    InternalServerError,
    /// Nothing is done, and no answer ever comes.
    #[serde(rename = "timeout")]
    Timeout,
    /// The request is done, and the connection breaks before the answer.
    #[serde(rename = "lost_response")]
    LostResponse,
}

fn once() -> u32 {
    1
}

/// The waiting faults.
#[derive(Debug, Default)]
pub struct Faults(Mutex<Vec<Fault>>);

impl Faults {
    /// Adds a fault.
    pub fn add(&self, fault: Fault) {
        self.lock().push(fault);
    }

    /// Returns the waiting faults as JSON.
    ///
    /// # Errors
    /// Never in practice: they are always serializable.
    pub fn to_json(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(&*self.lock())
    }

    /// Removes all faults.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// Takes one use of the first fault that concerns this request.
    pub fn meet(
        &self,
        function: Option<&str>,
        operation: &str,
        tables: &[&str],
    ) -> Option<FaultKind> {
        let mut faults = self.lock();
        let mut met = None;
        for fault in faults.iter_mut().filter(|f| f.concerns(function, operation, tables)) {
            if fault.skip > 0 {
                fault.skip -= 1;
            } else if met.is_none() && fault.times > 0 {
                fault.times -= 1;
                met = Some(fault.error);
            }
        }
        faults.retain(|f| f.times > 0);
        met
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Fault>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fault {
    fn concerns(&self, function: Option<&str>, operation: &str, tables: &[&str]) -> bool {
        self.action.strip_prefix("dynamodb:").unwrap_or(&self.action) == operation
            && self.function.as_deref().is_none_or(|wanted| function == Some(wanted))
            && self.table.as_deref().is_none_or(|table| tables.contains(&table))
    }
}

/// Returns DynamoDB's answer, status and body; `None` for the kinds without an answer.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>
pub fn answer(kind: FaultKind, operation: &str, body: &Value) -> Option<(u16, Value)> {
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
                        "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]", codes.join(", ")
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
            "The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning level \
             with the UpdateTable API.",
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
    fn a_fault_skips_then_happens_its_number_of_times() {
        let faults =
            faults(json!({"action": "PutItem", "error": "timeout", "times": 2, "skip": 1}));
        let met: Vec<_> = (0..4).map(|_| faults.meet(None, "PutItem", &[]).is_some()).collect();
        assert_eq!(met, [false, true, true, false]);
    }

    #[test]
    fn a_fault_concerns_only_its_function_action_and_table() {
        let faults = faults(json!({
            "function": "orders-create", "action": "dynamodb:PutItem", "table": "t", "error": "InternalServerError"
        }));
        assert_eq!(faults.meet(Some("orders-get"), "PutItem", &["t"]), None);
        assert_eq!(faults.meet(Some("orders-create"), "GetItem", &["t"]), None);
        assert_eq!(faults.meet(Some("orders-create"), "PutItem", &["u"]), None);
        assert_eq!(
            faults.meet(Some("orders-create"), "PutItem", &["t"]),
            Some(FaultKind::InternalServerError)
        );
    }

    #[test]
    fn a_conflict_in_a_transaction_cancels_it() {
        let body = json!({"TransactItems": [{}, {}]});
        let (status, answer) =
            answer(FaultKind::TransactionConflict, "TransactWriteItems", &body).unwrap();
        assert_eq!(status, 400);
        assert_eq!(answer["CancellationReasons"][0]["Code"], "TransactionConflict");
        assert_eq!(answer["CancellationReasons"][1]["Code"], "None");
    }

    #[test]
    fn an_unknown_fault_is_refused() {
        assert!(
            serde_json::from_value::<Fault>(json!({"action": "PutItem", "error": "Gremlins"}))
                .is_err()
        );
    }
}
