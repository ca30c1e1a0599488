//! JSON in Stripe's format.

use serde_json::Value;

/// Returns `value` as Stripe formats it: indented by two spaces, without a final newline.
pub(crate) fn pretty(value: &Value) -> String {
    format!("{value:#}")
}

/// Adds the fields `names` to `object`, all of them null. They belong to features that the stand-in
/// lacks. Stripe sends them too, so its objects have the same shape.
pub(crate) fn with_nulls(mut object: Value, names: &[&str]) -> Value {
    for name in names {
        object[*name] = Value::Null;
    }
    object
}
