//! `/v1/refunds`, `/v1/charges`, `/v1/disputes`, `/v1/balance_transactions` and `/v1/events`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Call;
use super::list::Page;
use crate::error::Error;
use crate::objects::balance_transaction;
use crate::objects::charge::{Charge, ChargeStatus, Refund};
use crate::objects::dispute::Dispute;
use crate::objects::event::{Delivery, Event};
use crate::params::Params;
use crate::refund;
use crate::transaction::Transaction;

/// `POST /v1/refunds`
pub(super) fn create_refund(
    transaction: &mut Transaction<'_>,
    call: &mut Call,
) -> Result<Value, Error> {
    let params = &mut call.params;
    let (intent, charge) = (params.text("payment_intent")?, params.text("charge")?);
    let amount = params.integer("amount", 1)?;
    let reason = params.choice("reason", &["duplicate", "fraudulent", "requested_by_customer"])?;
    let metadata = params.metadata()?;
    params.unsupported(&[
        "currency",
        "customer",
        "instructions_email",
        "origin",
        "refund_application_fee",
        "reverse_transfer",
    ])?;
    std::mem::take(params).finish()?;
    let charge = match (intent, charge) {
        (Some(intent), None) => refund::charge_of_intent(transaction, &intent)?,
        (None, Some(id)) => {
            let charge = transaction.charge(&id).map_err(|error| error.named_by("charge"))?;
            if charge.status != ChargeStatus::Succeeded {
                return Err(Error::refused(format!(
                    "This charge ({id}) was not successful and cannot be refunded."
                ))
                .param("charge"));
            }
            charge
        }
        (Some(_), Some(_)) => {
            return Err(Error::parameter(
                "charge",
                "You may only specify one of these parameters: charge, payment_intent.",
            ));
        }
        (None, None) => {
            let message = "One of the following params should be provided for this request: payment_intent or charge.";
            return Err(Error::parameter("payment_intent", message).code("parameter_missing"));
        }
    };
    let mut tags = BTreeMap::new();
    metadata.merge_into(&mut tags);
    Ok(refund::create(transaction, charge, amount, reason, tags)?.to_json())
}

/// `GET /v1/refunds/{id}`
pub(super) fn retrieve_refund(
    transaction: &mut Transaction<'_>,
    call: &mut Call,
) -> Result<Value, Error> {
    std::mem::take(&mut call.params).finish()?;
    Ok(transaction.refund(&call.id)?.to_json())
}

/// `POST /v1/refunds/{id}/cancel`: only a refund that requires action may be canceled, and cards
/// and banks have none of those.
pub(super) fn cancel_refund(
    transaction: &mut Transaction<'_>,
    call: &mut Call,
) -> Result<Value, Error> {
    std::mem::take(&mut call.params).finish()?;
    let refund = transaction.refund(&call.id)?;
    Err(Error::refused(format!(
        "You cannot cancel refund {}: only refunds with a status of requires_action can be canceled.",
        refund.id
    )))
}

/// The filters that refunds, charges and disputes have in common.
fn of_payment(params: &mut Params) -> Result<(Page, Option<String>, Option<String>), Error> {
    let found = (Page::take(params)?, params.text("payment_intent")?, params.text("charge")?);
    std::mem::take(params).finish()?;
    Ok(found)
}

fn matches(filter: Option<&String>, value: &str) -> bool {
    filter.is_none_or(|wanted| wanted == value)
}

/// `GET /v1/refunds`
pub(super) fn list_refunds(
    transaction: &mut Transaction<'_>,
    call: &mut Call,
) -> Result<Value, Error> {
    let (page, intent, charge) = of_payment(&mut call.params)?;
    let keep = |refund: &Refund| {
        matches(intent.as_ref(), &refund.payment_intent) && matches(charge.as_ref(), &refund.charge)
    };
    page.of(&transaction.store.refunds, "/v1/refunds", keep, Refund::to_json)
}

/// `GET /v1/charges/{id}`
pub(super) fn retrieve_charge(
    transaction: &mut Transaction<'_>,
    call: &mut Call,
) -> Result<Value, Error> {
    std::mem::take(&mut call.params).finish()?;
    Ok(transaction.charge(&call.id)?.to_json())
}

/// `GET /v1/charges`
pub(super) fn list_charges(
    transaction: &mut Transaction<'_>,
    call: &mut Call,
) -> Result<Value, Error> {
    let page = Page::take(&mut call.params)?;
    let intent = call.params.text("payment_intent")?;
    call.params.unsupported(&["customer", "transfer_group"])?;
    std::mem::take(&mut call.params).finish()?;
    page.of(
        &transaction.store.charges,
        "/v1/charges",
        |charge| matches(intent.as_ref(), &charge.payment_intent),
        Charge::to_json,
    )
}

/// `GET /v1/disputes/{id}`
pub(super) fn retrieve_dispute(
    transaction: &mut Transaction<'_>,
    call: &mut Call,
) -> Result<Value, Error> {
    std::mem::take(&mut call.params).finish()?;
    let dispute = transaction
        .store
        .disputes
        .get(&call.id)
        .ok_or_else(|| Error::missing("dispute", &call.id))?;
    Ok(dispute.to_json())
}

/// `GET /v1/disputes`
pub(super) fn list_disputes(
    transaction: &mut Transaction<'_>,
    call: &mut Call,
) -> Result<Value, Error> {
    let (page, intent, charge) = of_payment(&mut call.params)?;
    let keep = |dispute: &Dispute| {
        matches(intent.as_ref(), &dispute.payment_intent)
            && matches(charge.as_ref(), &dispute.charge)
    };
    page.of(&transaction.store.disputes, "/v1/disputes", keep, Dispute::to_json)
}

/// `GET /v1/balance_transactions/{id}`
pub(super) fn retrieve_balance_transaction(
    transaction: &mut Transaction<'_>,
    call: &mut Call,
) -> Result<Value, Error> {
    std::mem::take(&mut call.params).finish()?;
    balance_transaction::find(transaction.store, &call.id)
        .ok_or_else(|| Error::missing("balance transaction", &call.id))
}

/// `GET /v1/events/{id}`
pub(super) fn retrieve_event(
    transaction: &mut Transaction<'_>,
    call: &mut Call,
) -> Result<Value, Error> {
    std::mem::take(&mut call.params).finish()?;
    let event =
        transaction.store.events.get(&call.id).ok_or_else(|| Error::missing("event", &call.id))?;
    Ok(event.to_json())
}

/// `GET /v1/events`
pub(super) fn list_events(
    transaction: &mut Transaction<'_>,
    call: &mut Call,
) -> Result<Value, Error> {
    let page = Page::take(&mut call.params)?;
    let delivered = call.params.boolean("delivery_success")?;
    let mut kinds = call.params.list("types")?;
    if let Some(kind) = call.params.text("type")? {
        if kinds.is_some() {
            return Err(Error::parameter(
                "type",
                "You may only specify one of these parameters: type, types.",
            ));
        }
        kinds = Some(vec![kind]);
    }
    std::mem::take(&mut call.params).finish()?;
    let keep = |event: &Event| {
        kinds.as_ref().is_none_or(|kinds| kinds.iter().any(|kind| is_kind(kind, &event.kind)))
            && delivered
                .is_none_or(|delivered| delivered == (event.delivery == Delivery::Delivered))
    };
    page.of(&transaction.store.events, "/v1/events", keep, Event::to_json)
}

/// `charge.*` is every kind that begins with `charge.`.
fn is_kind(pattern: &str, kind: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => kind.starts_with(prefix),
        None => pattern == kind,
    }
}
