//! Balance transactions: what a charge or a refund does to the balance. Derived, not kept: the id
//! is that of its source with another prefix.

use serde_json::{Value, json};

use super::charge::{Charge, ChargeStatus, Refund};
use crate::store::Store;

/// The id of the balance transaction of the charge or refund `source`: `ch_3x` and `re_3x` give
/// `txn_ch3x` and `txn_re3x`.
pub(crate) fn id_of(source: &str) -> String {
    format!("txn_{}", source.replacen('_', "", 1))
}

/// The balance transaction `id`, if its source is there.
pub(crate) fn find(store: &Store, id: &str) -> Option<Value> {
    let source = id.strip_prefix("txn_")?;
    if let Some(rest) = source.strip_prefix("ch") {
        let charge = store
            .charges
            .get(&format!("ch_{rest}"))
            .filter(|charge| charge.status == ChargeStatus::Succeeded)?;
        return Some(of_charge(id, charge));
    }
    let refund = store.refunds.get(&format!("re_{}", source.strip_prefix("re")?))?;
    Some(of_refund(id, refund))
}

/// Stripe's standard price for US cards: 2.9 % and 30 minor units.
fn fee(amount: i64) -> i64 {
    (amount * 29 + 500) / 1000 + 30
}

fn of_charge(id: &str, charge: &Charge) -> Value {
    let fee = fee(charge.amount);
    let details = json!([{ "amount": fee, "application": null, "currency": charge.currency, "description": "Stripe processing fees", "type": "stripe_fee" }]);
    object(
        id,
        charge.amount,
        fee,
        &details,
        (&charge.id, charge.created, &charge.currency),
        "charge",
    )
}

/// Stripe keeps its fee when it refunds.
fn of_refund(id: &str, refund: &Refund) -> Value {
    object(
        id,
        -refund.amount,
        0,
        &json!([]),
        (&refund.id, refund.created, &refund.currency),
        "refund",
    )
}

fn object(
    id: &str,
    amount: i64,
    fee: i64,
    fee_details: &Value,
    (source, created, currency): (&str, i64, &str),
    kind: &str,
) -> Value {
    json!({
        "id": id,
        "object": "balance_transaction",
        "amount": amount,
        "available_on": created + 2 * 24 * 60 * 60,
        "balance_type": "payments",
        "created": created,
        "currency": currency,
        "description": null,
        "exchange_rate": null,
        "fee": fee,
        "fee_details": fee_details,
        "net": amount - fee,
        "reporting_category": kind,
        "source": source,
        "status": "pending",
        "type": kind,
    })
}
