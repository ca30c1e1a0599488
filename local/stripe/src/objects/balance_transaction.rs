//! Balance transactions (<https://docs.stripe.com/api/balance_transactions/object>): the effect of
//! a charge or refund on the account's balance. They are derived from the charge or refund, not
//! stored.

use serde_json::{Value, json};

use super::charge::Charge;
use super::refund::Refund;
use crate::ids;

/// Returns the fee of a charge: Stripe's standard price for US cards, 2.9 % and 30 minor units.
fn fee(amount: i64) -> i64 {
    (amount * 29 + 500) / 1000 + 30
}

/// Returns the balance transaction of a charge.
pub(crate) fn of_charge(charge: &Charge) -> Value {
    let fee = fee(charge.amount);
    let mut object =
        object("charge", &charge.id, charge.created, &charge.currency, charge.amount, fee);
    object["fee_details"] = json!([{
        "amount": fee, "application": null, "currency": charge.currency,
        "description": "Stripe processing fees", "type": "stripe_fee",
    }]);
    object
}

/// Returns the balance transaction of a refund. A refund costs no fee, and Stripe keeps the fee of
/// the charge.
pub(crate) fn of_refund(refund: &Refund) -> Value {
    object("refund", &refund.id, refund.created, &refund.currency, -refund.amount, 0)
}

fn object(kind: &str, source: &str, created: i64, currency: &str, amount: i64, fee: i64) -> Value {
    json!({
        "id": ids::balance_transaction_of(source),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": created + 2 * 24 * 60 * 60,
        "balance_type": "payments",
        "created": created,
        "currency": currency,
        "description": null,
        "exchange_rate": null,
        "fee": fee,
        "fee_details": [],
        "net": amount - fee,
        "reporting_category": kind,
        "source": source,
        "status": "pending",
        "type": kind,
    })
}
