//! The calls, a file per kind.

pub(crate) mod batches;
pub(crate) mod conditions;
pub(crate) mod expressions;
pub(crate) mod items;
pub(crate) mod protocol;
pub(crate) mod queries;
pub(crate) mod scans;
pub(crate) mod sizes;
pub(crate) mod streams;
pub(crate) mod table_operations;
pub(crate) mod transactions;
pub(crate) mod updates;

use serde_json::{Value, json};

/// A call to DynamoDB.
#[derive(Debug)]
pub(crate) struct Call {
    /// What the call is about. Unique in its kind.
    pub(crate) name: &'static str,
    /// The operation, such as `PutItem`.
    pub(crate) operation: &'static str,
    /// The body. A string is sent as it is, even if it isn't JSON.
    pub(crate) body: Value,
}

impl Call {
    /// Whether the order of lists in its answer has no meaning.
    pub(crate) fn is_unordered(&self) -> bool {
        matches!(
            self.operation,
            "BatchGetItem"
                | "BatchWriteItem"
                | "CreateTable"
                | "DescribeTable"
                | "ListStreams"
                | "Scan"
                | "UpdateTable"
        )
    }
}

/// Makes a list of calls from blocks of one operation each. `Operation("table")` adds the
/// `TableName` to every body of its block.
macro_rules! calls {
    ($($operation:ident $(($table:literal))? { $($name:literal => $body:tt,)* })*) => {{
        let mut calls = Vec::new();
        $(crate::calls::add(
            &mut calls,
            stringify!($operation),
            None::<&str>$(.or(Some($table)))?,
            vec![$(($name, serde_json::json!($body))),*],
        );)*
        calls
    }};
}
pub(crate) use calls;

/// Adds calls of one operation.
fn add(
    calls: &mut Vec<Call>,
    operation: &'static str,
    table: Option<&str>,
    bodies: Vec<(&'static str, Value)>,
) {
    for (name, mut body) in bodies {
        if let Some(table) = table {
            body["TableName"] = table.into();
        }
        calls.push(Call { name, operation, body });
    }
}

/// Stands for a value in the answer to an earlier call: the one at this JSON pointer.
pub(crate) fn from(call: &str, pointer: &str) -> Value {
    json!({"$from": [call, pointer]})
}

/// The string attribute `text`.
pub(crate) fn s(text: &str) -> Value {
    json!({"S": text})
}

/// The number attribute `number`.
pub(crate) fn n(number: &str) -> Value {
    json!({"N": number})
}

/// The key of an item of the table `items`.
pub(crate) fn key(pk: &str, sk: &str) -> Value {
    json!({"pk": s(pk), "sk": s(sk)})
}
