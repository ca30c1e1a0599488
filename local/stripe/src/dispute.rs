//! Opens and closes disputes. A test card or the control API opens them, and the control API closes
//! them.

use crate::error::Error;
use crate::ids;
use crate::objects::charge::{Charge, ChargeStatus};
use crate::objects::dispute::{Dispute, DisputeStatus};
use crate::transaction::Transaction;

/// Opens a dispute over the part of the charge that is not refunded.
///
/// # Errors
/// 400 when the charge did not succeed, is fully refunded, or was disputed before.
pub(crate) fn open(
    transaction: &mut Transaction<'_>,
    mut charge: Charge,
    reason: &str,
) -> Result<Dispute, Error> {
    if charge.status != ChargeStatus::Succeeded || charge.disputed || charge.unrefunded() == 0 {
        return Err(Error::invalid_request(format!(
            "Charge {} cannot be disputed: it did not succeed, is refunded, or was disputed \
             before.",
            charge.id
        )));
    }
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
    Ok(dispute)
}

/// Closes a dispute, won or lost.
///
/// # Errors
/// 404 when the dispute does not exist, 400 when it is closed already.
pub(crate) fn close(
    transaction: &mut Transaction<'_>,
    id: &str,
    won: bool,
) -> Result<Dispute, Error> {
    let mut dispute = transaction.dispute(id)?;
    if dispute.status != DisputeStatus::NeedsResponse {
        return Err(Error::invalid_request(format!("Dispute {id} is closed already.")));
    }
    dispute.status = if won { DisputeStatus::Won } else { DisputeStatus::Lost };
    transaction.put(dispute.clone());
    if won {
        transaction.emit("charge.dispute.funds_reinstated", dispute.to_json());
    }
    transaction.emit("charge.dispute.closed", dispute.to_json());
    Ok(dispute)
}
