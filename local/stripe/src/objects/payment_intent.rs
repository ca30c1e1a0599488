//! Payment intents: <https://docs.stripe.com/api/payment_intents/object>.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::payment_method::PaymentMethod;
use crate::error::Error;
use crate::json::with_nulls;

/// The state of an intent (<https://docs.stripe.com/payments/paymentintents/lifecycle>).
/// `requires_capture` does not occur, because manual capture is not supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    RequiresPaymentMethod,
    RequiresConfirmation,
    RequiresAction,
    Processing,
    Canceled,
    Succeeded,
}

impl Status {
    /// Returns the name in the API.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::RequiresPaymentMethod => "requires_payment_method",
            Self::RequiresConfirmation => "requires_confirmation",
            Self::RequiresAction => "requires_action",
            Self::Processing => "processing",
            Self::Canceled => "canceled",
            Self::Succeeded => "succeeded",
        }
    }

    /// Returns whether the intent can still be changed, because no payment is in progress or done.
    pub(crate) fn is_open(self) -> bool {
        matches!(
            self,
            Self::RequiresPaymentMethod | Self::RequiresConfirmation | Self::RequiresAction
        )
    }
}

/// A payment intent as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PaymentIntent {
    pub(crate) id: String,
    pub(crate) amount: i64,
    pub(crate) amount_received: i64,
    /// The value of `allow_redirects`, if the payment methods are automatic.
    pub(crate) automatic: Option<String>,
    pub(crate) canceled_at: Option<i64>,
    pub(crate) cancellation_reason: Option<String>,
    pub(crate) capture_method: String,
    pub(crate) client_secret: String,
    pub(crate) created: i64,
    pub(crate) currency: String,
    pub(crate) description: Option<String>,
    pub(crate) last_payment_error: Option<Value>,
    pub(crate) latest_charge: Option<String>,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) next_action: Option<Value>,
    pub(crate) payment_method: Option<PaymentMethod>,
    pub(crate) payment_method_types: Vec<String>,
    pub(crate) receipt_email: Option<String>,
    pub(crate) return_url: Option<String>,
    pub(crate) statement_descriptor: Option<String>,
    pub(crate) statement_descriptor_suffix: Option<String>,
    pub(crate) status: Status,
}

/// The fields that a publishable key sees.
const PUBLIC: &[&str] = &[
    "amount",
    "automatic_payment_methods",
    "canceled_at",
    "cancellation_reason",
    "capture_method",
    "client_secret",
    "confirmation_method",
    "created",
    "currency",
    "description",
    "id",
    "last_payment_error",
    "livemode",
    "next_action",
    "object",
    "payment_method",
    "payment_method_types",
    "processing",
    "receipt_email",
    "setup_future_usage",
    "shipping",
    "source",
    "status",
];

impl PaymentIntent {
    /// Returns the object as a secret key sees it.
    pub(crate) fn to_json(&self) -> Value {
        let automatic_payment_methods = self
            .automatic
            .as_ref()
            .map(|redirects| json!({ "allow_redirects": redirects, "enabled": true }));
        with_nulls(
            json!({
                "id": self.id,
                "object": "payment_intent",
                "amount": self.amount,
                "amount_capturable": 0,
                "amount_details": { "tip": {} },
                "amount_received": self.amount_received,
                "automatic_payment_methods": automatic_payment_methods,
                "canceled_at": self.canceled_at,
                "cancellation_reason": self.cancellation_reason,
                "capture_method": self.capture_method,
                "client_secret": self.client_secret,
                "confirmation_method": "automatic",
                "created": self.created,
                "currency": self.currency,
                "description": self.description,
                "last_payment_error": self.last_payment_error,
                "latest_charge": self.latest_charge,
                "livemode": false,
                "metadata": self.metadata,
                "next_action": self.next_action,
                "payment_method": self.payment_method.as_ref().map(|method| &method.id),
                "payment_method_options": {},
                "payment_method_types": self.payment_method_types,
                "receipt_email": self.receipt_email,
                "statement_descriptor": self.statement_descriptor,
                "statement_descriptor_suffix": self.statement_descriptor_suffix,
                "status": self.status,
            }),
            &[
                "application",
                "application_fee_amount",
                "customer",
                "on_behalf_of",
                "payment_method_configuration_details",
                "processing",
                "review",
                "setup_future_usage",
                "shipping",
                "source",
                "transfer_data",
                "transfer_group",
            ],
        )
    }

    /// Returns the object as a publishable key with the client secret sees it.
    pub(crate) fn to_public_json(&self) -> Value {
        let mut object = self.to_json();
        if let Some(fields) = object.as_object_mut() {
            fields.retain(|name, _| PUBLIC.contains(&name.as_str()));
        }
        object
    }

    /// Returns the error `payment_intent_unexpected_state`, which contains the intent.
    pub(crate) fn unexpected_state(&self, message: impl Into<String>) -> Error {
        Error::invalid_request(message)
            .code("payment_intent_unexpected_state")
            .with_intent(self.to_json())
    }
}
