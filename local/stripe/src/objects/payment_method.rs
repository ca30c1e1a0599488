//! Payment methods: <https://docs.stripe.com/api/payment_methods/object>. As at Stripe, each use of
//! a test method creates a new payment method.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::test_method::{TestMethod, VISA, by_name};
use crate::ids;

/// A payment method attached to an intent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PaymentMethod {
    /// `pm_...`.
    pub(crate) id: String,
    /// The name of the test method.
    test: String,
    created: i64,
}

impl PaymentMethod {
    /// Returns a new payment method that behaves as `test`.
    pub(crate) fn new(test: &TestMethod, now: i64) -> Self {
        Self { id: ids::new("pm_"), test: test.name.to_owned(), created: now }
    }

    /// Returns the test method that it behaves as, or an ordinary card if the stored name no longer
    /// exists.
    pub(crate) fn test(&self) -> &'static TestMethod {
        by_name(&self.test).unwrap_or(&VISA)
    }

    /// Returns the object as the API shows it.
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

/// Returns empty billing details.
pub(crate) fn billing_details() -> Value {
    json!({
        "address": {
            "city": null, "country": null, "line1": null, "line2": null, "postal_code": null,
            "state": null,
        },
        "email": null, "name": null, "phone": null, "tax_id": null,
    })
}
