//! Payment methods: <https://docs.stripe.com/api/payment_methods/object>. As at Stripe, every use
//! of a test method makes a new one.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::test_method::{TestMethod, VISA, by_name};
use crate::ids;

/// A payment method attached to an intent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PaymentMethod {
    /// `pm_...`.
    pub(crate) id: String,
    test: String,
    created: i64,
}

impl PaymentMethod {
    /// A new method of the row `test`.
    pub(crate) fn new(test: &TestMethod, now: i64) -> Self {
        Self { id: ids::new("pm_"), test: test.name.to_owned(), created: now }
    }

    /// Its row. One that a later version of the table has lost is an ordinary card.
    pub(crate) fn test(&self) -> &'static TestMethod {
        by_name(&self.test).unwrap_or(&VISA)
    }

    /// The payment method object.
    pub(crate) fn to_json(&self) -> Value {
        let test = self.test();
        let mut object = test.details();
        object["id"] = self.id.clone().into();
        object["object"] = "payment_method".into();
        object["allow_redisplay"] = "unspecified".into();
        object["billing_details"] = billing_details();
        object["created"] = self.created.into();
        object["customer"] = Value::Null;
        object["livemode"] = false.into();
        object["metadata"] = json!({});
        object
    }
}

/// Billing details of which nothing is known.
pub(crate) fn billing_details() -> Value {
    json!({
        "address": { "city": null, "country": null, "line1": null, "line2": null, "postal_code": null, "state": null },
        "email": null, "name": null, "phone": null, "tax_id": null,
    })
}
