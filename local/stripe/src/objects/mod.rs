//! What Stripe keeps: for every kind of object, the record that is stored and the JSON that is
//! shown.

pub(super) mod balance_transaction;
pub(super) mod charge;
pub(super) mod dispute;
pub(super) mod event;
pub(super) mod payment_intent;
pub(super) mod payment_method;
pub(super) mod test_method;

use serde_json::Value;

/// Adds the fields that are always null here: Stripe sends them all the same.
fn with_nulls(mut object: Value, names: &[&str]) -> Value {
    for name in names {
        object[*name] = Value::Null;
    }
    object
}
