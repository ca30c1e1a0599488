//! Refunds: <https://docs.stripe.com/api/refunds/object>.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::ids;

/// The state of a refund. Stripe's `requires_action` and `canceled` belong to payment methods that
/// the stand-in lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RefundStatus {
    Pending,
    Succeeded,
    Failed,
}

/// A refund as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Refund {
    pub(crate) id: String,
    pub(crate) amount: i64,
    pub(crate) charge: String,
    pub(crate) created: i64,
    pub(crate) currency: String,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) payment_intent: String,
    pub(crate) reason: Option<String>,
    pub(crate) status: RefundStatus,
    /// The status that the refund changes to when the bank settles it.
    #[serde(rename = "becomes")]
    pub(crate) settles_as: Option<RefundStatus>,
}

impl Refund {
    /// Returns the object as the API shows it.
    pub(crate) fn to_json(&self) -> Value {
        let mut object = json!({
            "id": self.id,
            "object": "refund",
            "amount": self.amount,
            "balance_transaction": ids::balance_transaction_of(&self.id),
            "charge": self.charge,
            "created": self.created,
            "currency": self.currency,
            "destination_details": {
                "card": {
                    "reference_status": "pending", "reference_type": "acquirer_reference_number",
                    "type": "refund",
                },
                "type": "card",
            },
            "metadata": self.metadata,
            "payment_intent": self.payment_intent,
            "reason": self.reason,
            "receipt_number": null,
            "source_transfer_reversal": null,
            "status": self.status,
            "transfer_reversal": null,
        });
        match self.status {
            RefundStatus::Pending => object["pending_reason"] = "processing".into(),
            RefundStatus::Failed => object["failure_reason"] = "expired_or_canceled_card".into(),
            RefundStatus::Succeeded => {}
        }
        object
    }
}
