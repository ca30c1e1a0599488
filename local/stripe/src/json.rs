//! JSON as Stripe writes it.

use serde_json::Value;

/// Returns `value` as Stripe formats it: indented by two spaces, without a final newline.
pub(crate) fn pretty(value: &Value) -> String {
    format!("{value:#}")
}

/// Adds the fields `names` to `object`, all null. Stripe sends the fields of features that the
/// stand-in lacks, so the real one and this one have the same shape.
pub(crate) fn with_nulls(mut object: Value, names: &[&str]) -> Value {
    for name in names {
        object[*name] = Value::Null;
    }
    object
}
