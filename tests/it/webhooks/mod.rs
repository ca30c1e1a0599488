//! Events from Stripe.

mod events;
mod stripe;
mod unexpected;

use serde_json::json;

use crate::support::unique;

/// Returns the id and body of an event of a type that concerns no order.
fn harmless() -> (String, Vec<u8>) {
    let id = unique("evt_test");
    let body = json!({
        "id": id, "object": "event", "type": "customer.created",
        "data": {"object": {"id": "cus_1"}},
    });
    (id, body.to_string().into_bytes())
}
