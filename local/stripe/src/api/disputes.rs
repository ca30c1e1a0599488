//! `/v1/disputes`: <https://docs.stripe.com/api/disputes>.

use serde_json::Value;

use super::call::Call;
use super::page::{Page, PaymentFilter};
use crate::error::Error;
use crate::objects::dispute::Dispute;
use crate::transaction::Transaction;

/// `GET /v1/disputes/{id}`
///
/// # Errors
/// 400 for an unknown parameter, 404 when the dispute does not exist.
pub(super) fn retrieve(transaction: &mut Transaction<'_>, call: &mut Call) -> Result<Value, Error> {
    call.finish_params()?;
    Ok(transaction.dispute(&call.id)?.to_json())
}

/// `GET /v1/disputes`
///
/// # Errors
/// 400 for invalid or unknown parameters.
pub(super) fn list(transaction: &mut Transaction<'_>, call: &mut Call) -> Result<Value, Error> {
    let page = Page::take(&mut call.params)?;
    let payment = PaymentFilter::take(&mut call.params)?;
    call.finish_params()?;
    let filter = |dispute: &Dispute| payment.matches(&dispute.payment_intent, &dispute.charge);
    page.of(&transaction.store.disputes, "/v1/disputes", filter, Dispute::to_json)
}
