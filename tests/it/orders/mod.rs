//! Orders: every transition, who may make it, and what others then see.

mod accept;
mod actions;
mod cancel;
mod complete;
mod create;
mod deliver;
mod dispute;
mod events;
mod get;
mod list;
mod open;
mod races;
mod reassign;
mod release;
mod request_revision;
mod resolve;
mod timers;

use serde_json::Value;

use crate::support::{TestOrder, User};

/// Returns the `actions` of an order, spelled as in its paths.
fn actions(order: &Value) -> Vec<String> {
    let names = order["actions"].as_array().expect("actions").iter();
    names.map(|name| name.as_str().expect("a name").replace('_', "-")).collect()
}

/// Asserts that this transition rejects this body with these fields and error codes.
async fn assert_field_errors(
    order: &TestOrder,
    user: &User,
    verb: &str,
    body: Value,
    expected: &[(&str, &str)],
) {
    let errors = user.api.post(&order.path(verb), body).await.field_errors();
    let errors: Vec<_> =
        errors.iter().map(|(field, code)| (field.as_str(), code.as_str())).collect();
    assert_eq!(errors, expected, "{verb}");
}
