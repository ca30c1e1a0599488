//! `/v1/charges`: <https://docs.stripe.com/api/charges>.

use serde_json::Value;

use super::call::Call;
use super::page::Page;
use crate::error::Error;
use crate::objects::charge::Charge;
use crate::transaction::Transaction;

/// `GET /v1/charges/{id}`
///
/// # Errors
/// 400 for an unknown parameter, 404 when the charge does not exist.
pub(super) fn retrieve(transaction: &mut Transaction<'_>, call: &mut Call) -> Result<Value, Error> {
    call.finish_params()?;
    Ok(transaction.charge(&call.id)?.to_json())
}

/// `GET /v1/charges`
///
/// # Errors
/// 400 for invalid, unknown or unsupported parameters.
pub(super) fn list(transaction: &mut Transaction<'_>, call: &mut Call) -> Result<Value, Error> {
    let page = Page::take(&mut call.params)?;
    let intent = call.params.text("payment_intent")?;
    call.params.reject_unsupported(&["customer", "transfer_group"])?;
    call.finish_params()?;
    let filter =
        |charge: &Charge| intent.as_ref().is_none_or(|intent| *intent == charge.payment_intent);
    page.of(&transaction.store.charges, "/v1/charges", filter, Charge::to_json)
}
