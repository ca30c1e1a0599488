//! Disputes: <https://docs.stripe.com/api/disputes/object>. `pm_card_createDispute` or the control
//! API opens them.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The state of a dispute. The stand-in accepts no evidence, so it lacks Stripe's states of a
/// review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DisputeStatus {
    NeedsResponse,
    Won,
    Lost,
}

/// A dispute as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Dispute {
    pub(crate) id: String,
    pub(crate) amount: i64,
    pub(crate) charge: String,
    pub(crate) created: i64,
    pub(crate) currency: String,
    pub(crate) payment_intent: String,
    pub(crate) reason: String,
    pub(crate) status: DisputeStatus,
}

/// The fields for evidence, all null.
const EVIDENCE: &[&str] = &[
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
];

impl Dispute {
    /// Returns the object as the API shows it.
    pub(crate) fn to_json(&self) -> Value {
        let mut evidence: serde_json::Map<String, Value> =
            EVIDENCE.iter().map(|field| ((*field).to_owned(), Value::Null)).collect();
        evidence.insert("enhanced_evidence".into(), json!({}));
        json!({
            "id": self.id,
            "object": "dispute",
            "amount": self.amount,
            "balance_transactions": [],
            "charge": self.charge,
            "created": self.created,
            "currency": self.currency,
            "enhanced_eligibility_types": [],
            "evidence": evidence,
            "evidence_details": {
                "due_by": self.created + 7 * 24 * 60 * 60, "enhanced_eligibility": {},
                "has_evidence": false, "past_due": false, "submission_count": 0,
            },
            "is_charge_refundable": false,
            "livemode": false,
            "metadata": {},
            "network_reason_code": "10.4",
            "payment_intent": self.payment_intent,
            "payment_method_details": {
                "card": {
                    "brand": "visa", "case_type": "chargeback", "network": "visa",
                    "network_reason_code": "10.4",
                },
                "type": "card",
            },
            "reason": self.reason,
            "status": self.status,
        })
    }
}
