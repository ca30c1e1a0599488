//! Creates and settles refunds (<https://docs.stripe.com/refunds>).

use std::collections::BTreeMap;

use crate::error::Error;
use crate::objects::charge::{Charge, ChargeStatus};
use crate::objects::refund::{Refund, RefundStatus};
use crate::objects::test_method::Aftermath;
use crate::transaction::Transaction;
use crate::{ids, money};

/// Refunds `amount` of the charge, or the whole remaining amount if `amount` is `None`.
///
/// # Errors
/// 400 `charge_disputed`, 400 `charge_already_refunded`, or 400 when `amount` is more than the
/// remaining amount.
pub(crate) fn create(
    transaction: &mut Transaction<'_>,
    mut charge: Charge,
    amount: Option<i64>,
    reason: Option<&str>,
    metadata: BTreeMap<String, String>,
) -> Result<Refund, Error> {
    if charge.disputed {
        let message = format!("Charge {} has been charged back; cannot issue a refund.", charge.id);
        return Err(Error::invalid_request(message).code("charge_disputed"));
    }
    if charge.unrefunded() == 0 {
        return Err(Error::invalid_request(format!(
            "Charge {} has already been refunded.",
            charge.id
        ))
        .code("charge_already_refunded"));
    }
    let amount = amount.unwrap_or(charge.unrefunded());
    if amount > charge.unrefunded() {
        let limit = match charge.amount_refunded {
            0 => "charge amount",
            _ => "unrefunded amount on charge",
        };
        let message = format!(
            "Refund amount ({}) is greater than {limit} ({})",
            money::format(amount, &charge.currency),
            money::format(charge.unrefunded(), &charge.currency)
        );
        return Err(Error::invalid_request(message).param("amount"));
    }
    let (status, settles_as) = match charge.payment_method.test().aftermath {
        Aftermath::RefundPends => (RefundStatus::Pending, Some(RefundStatus::Succeeded)),
        Aftermath::RefundFails => (RefundStatus::Succeeded, Some(RefundStatus::Failed)),
        Aftermath::None | Aftermath::Dispute => (RefundStatus::Succeeded, None),
    };
    let refund = Refund {
        id: ids::new("re_"),
        amount,
        charge: charge.id.clone(),
        created: transaction.now,
        currency: charge.currency.clone(),
        metadata,
        payment_intent: charge.payment_intent.clone(),
        reason: reason.map(str::to_owned),
        status,
        settles_as,
    };
    charge.amount_refunded += amount;
    transaction.put(charge.clone());
    transaction.put(refund.clone());
    transaction.emit("refund.created", refund.to_json());
    transaction.emit("charge.refunded", charge.to_json());
    if settles_as.is_some() {
        transaction.unsettled.push(refund.id.clone());
    }
    Ok(refund)
}

/// Settles a refund as its test method says. A pending refund succeeds. If the bank returns the
/// money of a refund, the refund fails, and the charge can be refunded again. Other refunds don't
/// change.
pub(crate) fn settle(transaction: &mut Transaction<'_>, mut refund: Refund) -> Refund {
    let Some(status) = refund.settles_as.take() else {
        return refund;
    };
    refund.status = status;
    transaction.put(refund.clone());
    if status == RefundStatus::Failed
        && let Some(charge) = transaction.store.charges.get(&refund.charge)
    {
        let amount_refunded = charge.amount_refunded - refund.amount;
        let charge = Charge { amount_refunded, ..charge.clone() };
        transaction.put(charge);
    }
    transaction.emit("refund.updated", refund.to_json());
    transaction.emit("charge.refund.updated", refund.to_json());
    if status == RefundStatus::Failed {
        transaction.emit("refund.failed", refund.to_json());
    }
    refund
}

/// Returns the charge that paid the intent `id`.
///
/// # Errors
/// 400 when the intent does not exist, or has no successful charge.
pub(crate) fn charge_of_intent(transaction: &Transaction<'_>, id: &str) -> Result<Charge, Error> {
    let intent = transaction.intent(id).map_err(|error| error.for_param("payment_intent"))?;
    let charge = intent.latest_charge.as_deref().and_then(|id| transaction.store.charges.get(id));
    charge.filter(|charge| charge.status == ChargeStatus::Succeeded).cloned().ok_or_else(|| {
        Error::invalid_request(format!(
            "This PaymentIntent ({id}) does not have a successful charge to refund."
        ))
        .param("payment_intent")
    })
}
