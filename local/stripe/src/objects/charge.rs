//! Charges: <https://docs.stripe.com/api/charges/object>.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::payment_method::{PaymentMethod, billing_details};
use crate::ids;
use crate::json::with_nulls;

/// The state of a charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ChargeStatus {
    Succeeded,
    Pending,
    Failed,
}

/// A charge as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Charge {
    pub(crate) id: String,
    pub(crate) amount: i64,
    pub(crate) amount_refunded: i64,
    pub(crate) created: i64,
    pub(crate) currency: String,
    pub(crate) description: Option<String>,
    pub(crate) disputed: bool,
    /// The error code and message, if the charge failed.
    pub(crate) failure: Option<(String, String)>,
    /// The bank's reason if it declined, such as `insufficient_funds`.
    pub(crate) decline_code: Option<String>,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) payment_intent: String,
    pub(crate) payment_method: PaymentMethod,
    pub(crate) receipt_email: Option<String>,
    pub(crate) statement_descriptor_suffix: Option<String>,
    pub(crate) status: ChargeStatus,
}

impl Charge {
    /// Returns the amount that can still be refunded.
    pub(crate) fn unrefunded(&self) -> i64 {
        self.amount - self.amount_refunded
    }

    /// Returns the object as the API shows it.
    pub(crate) fn to_json(&self) -> Value {
        let paid = self.status == ChargeStatus::Succeeded;
        let outcome = match self.status {
            ChargeStatus::Failed => json!({
                "network_status": "declined_by_network", "reason": self.decline_code,
                "risk_level": "normal", "risk_score": 20,
                "seller_message": "The bank did not return any further details with this decline.",
                "type": "issuer_declined",
            }),
            ChargeStatus::Succeeded | ChargeStatus::Pending => json!({
                "network_status": "approved_by_network", "reason": null,
                "risk_level": "normal", "risk_score": 20,
                "seller_message": "Payment complete.", "type": "authorized",
            }),
        };
        with_nulls(
            json!({
                "id": self.id,
                "object": "charge",
                "amount": self.amount,
                "amount_captured": if paid { self.amount } else { 0 },
                "amount_refunded": self.amount_refunded,
                "balance_transaction": paid.then(|| ids::balance_transaction_of(&self.id)),
                "billing_details": billing_details(),
                "calculated_statement_descriptor": "LOCAL",
                "captured": self.status != ChargeStatus::Failed,
                "created": self.created,
                "currency": self.currency,
                "description": self.description,
                "disputed": self.disputed,
                "failure_code": self.failure.as_ref().map(|(code, _)| code),
                "failure_message": self.failure.as_ref().map(|(_, message)| message),
                "fraud_details": {},
                "livemode": false,
                "metadata": self.metadata,
                "outcome": outcome,
                "paid": paid,
                "payment_intent": self.payment_intent,
                "payment_method": self.payment_method.id,
                "payment_method_details": self.payment_method.test().details(),
                "receipt_email": self.receipt_email,
                "refunded": self.amount_refunded == self.amount,
                "statement_descriptor_suffix": self.statement_descriptor_suffix,
                "status": self.status,
            }),
            &[
                "application",
                "application_fee",
                "application_fee_amount",
                "customer",
                "failure_balance_transaction",
                "on_behalf_of",
                "receipt_number",
                "receipt_url",
                "review",
                "shipping",
                "source",
                "source_transfer",
                "statement_descriptor",
                "transfer_data",
                "transfer_group",
            ],
        )
    }
}
