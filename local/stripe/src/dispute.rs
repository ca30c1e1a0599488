//! Disputes: opened by a customer's bank (a test card, or the control API), closed by the control
//! API.

use super::error::Error;
use super::ids;
use super::objects::charge::{Charge, ChargeStatus};
use super::objects::dispute::{Dispute, DisputeStatus};
use super::transaction::Transaction;

/// Opens a dispute over what of the charge is not refunded.
pub(super) fn open(transaction: &mut Transaction<'_>, mut charge: Charge, reason: &str) -> Dispute {
    let dispute = Dispute {
        id: ids::new("du_"),
        amount: charge.unrefunded(),
        charge: charge.id.clone(),
        created: transaction.now,
        currency: charge.currency.clone(),
        payment_intent: charge.payment_intent.clone(),
        reason: reason.to_owned(),
        status: DisputeStatus::NeedsResponse,
    };
    charge.disputed = true;
    transaction.put(charge);
    transaction.put(dispute.clone());
    transaction.emit("charge.dispute.created", dispute.to_json());
    transaction.emit("charge.dispute.funds_withdrawn", dispute.to_json());
    dispute
}

/// Opens a dispute, if the charge can have one: it succeeded, is not wholly refunded and was not
/// disputed before.
pub(super) fn open_checked(
    transaction: &mut Transaction<'_>,
    charge: Charge,
    reason: &str,
) -> Result<Dispute, Error> {
    if charge.status != ChargeStatus::Succeeded || charge.disputed || charge.unrefunded() == 0 {
        return Err(Error::refused(format!(
            "Charge {} cannot be disputed: it did not succeed, is refunded, or is disputed already.",
            charge.id
        )));
    }
    Ok(open(transaction, charge, reason))
}

/// Ends a dispute.
pub(super) fn close(
    transaction: &mut Transaction<'_>,
    id: &str,
    won: bool,
) -> Result<Dispute, Error> {
    let mut dispute =
        transaction.store.disputes.get(id).cloned().ok_or_else(|| Error::missing("dispute", id))?;
    if dispute.status != DisputeStatus::NeedsResponse {
        return Err(Error::refused(format!("Dispute {id} is closed already.")));
    }
    dispute.status = if won { DisputeStatus::Won } else { DisputeStatus::Lost };
    transaction.put(dispute.clone());
    if won {
        transaction.emit("charge.dispute.funds_reinstated", dispute.to_json());
    }
    transaction.emit("charge.dispute.closed", dispute.to_json());
    Ok(dispute)
}
