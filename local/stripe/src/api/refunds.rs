//! `/v1/refunds`: <https://docs.stripe.com/api/refunds>.

use std::collections::BTreeMap;

use serde_json::Value;

use super::call::Call;
use super::page::{Page, PaymentFilter};
use crate::error::Error;
use crate::objects::charge::{Charge, ChargeStatus};
use crate::objects::refund::Refund;
use crate::refund;
use crate::transaction::Transaction;

/// Parameters of features that the stand-in lacks: Connect, customers, other payment methods.
const UNSUPPORTED: &[&str] = &[
    "currency",
    "customer",
    "instructions_email",
    "origin",
    "refund_application_fee",
    "reverse_transfer",
];

/// `POST /v1/refunds`
///
/// # Errors
/// 400 for invalid, unknown or unsupported parameters, or when the charge cannot be refunded.
pub(super) fn create(transaction: &mut Transaction<'_>, call: &mut Call) -> Result<Value, Error> {
    let params = &mut call.params;
    let (intent, charge) = (params.text("payment_intent")?, params.text("charge")?);
    let amount = params.integer("amount", 1)?;
    let reason = params.choice("reason", &["duplicate", "fraudulent", "requested_by_customer"])?;
    let metadata_change = params.metadata()?;
    params.reject_unsupported(UNSUPPORTED)?;
    call.finish_params()?;
    let charge = charge_to_refund(transaction, intent, charge)?;
    let mut metadata = BTreeMap::new();
    metadata_change.apply_to(&mut metadata);
    Ok(refund::create(transaction, charge, amount, reason, metadata)?.to_json())
}

fn charge_to_refund(
    transaction: &Transaction<'_>,
    intent: Option<String>,
    charge: Option<String>,
) -> Result<Charge, Error> {
    match (intent, charge) {
        (Some(intent), None) => refund::charge_of_intent(transaction, &intent),
        (None, Some(id)) => {
            let charge = transaction.charge(&id).map_err(|error| error.for_param("charge"))?;
            if charge.status != ChargeStatus::Succeeded {
                let message =
                    format!("This charge ({id}) was not successful and cannot be refunded.");
                return Err(Error::invalid_request(message).param("charge"));
            }
            Ok(charge)
        }
        (Some(_), Some(_)) => {
            let message = "You may only specify one of these parameters: charge, payment_intent.";
            Err(Error::parameter("charge", message))
        }
        (None, None) => {
            let message = "One of the following params should be provided for this request: \
                           payment_intent or charge.";
            Err(Error::parameter("payment_intent", message).code("parameter_missing"))
        }
    }
}

/// `GET /v1/refunds/{id}`
///
/// # Errors
/// 400 for an unknown parameter, 404 when the refund does not exist.
pub(super) fn retrieve(transaction: &mut Transaction<'_>, call: &mut Call) -> Result<Value, Error> {
    call.finish_params()?;
    Ok(transaction.refund(&call.id)?.to_json())
}

/// `POST /v1/refunds/{id}/cancel`. Only a refund that requires action can be canceled, which
/// refunds to cards and bank accounts never do.
///
/// # Errors
/// Always: 404 when the refund does not exist, otherwise 400.
pub(super) fn cancel(transaction: &mut Transaction<'_>, call: &mut Call) -> Result<Value, Error> {
    call.finish_params()?;
    let refund = transaction.refund(&call.id)?;
    Err(Error::invalid_request(format!(
        "You cannot cancel refund {}: only refunds with a status of requires_action can be \
         canceled.",
        refund.id
    )))
}

/// `GET /v1/refunds`
///
/// # Errors
/// 400 for invalid or unknown parameters.
pub(super) fn list(transaction: &mut Transaction<'_>, call: &mut Call) -> Result<Value, Error> {
    let page = Page::take(&mut call.params)?;
    let payment = PaymentFilter::take(&mut call.params)?;
    call.finish_params()?;
    let filter = |refund: &Refund| payment.matches(&refund.payment_intent, &refund.charge);
    page.of(&transaction.store.refunds, "/v1/refunds", filter, Refund::to_json)
}
