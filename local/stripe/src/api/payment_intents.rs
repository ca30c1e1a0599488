//! `/v1/payment_intents`: <https://docs.stripe.com/api/payment_intents>.

use std::collections::BTreeMap;

use serde_json::Value;

use super::call::Call;
use super::page::Page;
use super::payment_intent_params::{Confirmation, Texts, UNSUPPORTED};
use super::payment_method_params::{self, AcceptedMethods};
use crate::error::{Error, required};
use crate::objects::payment_intent::{PaymentIntent, Status};
use crate::objects::payment_method::PaymentMethod;
use crate::transaction::Transaction;
use crate::{ids, money};

/// `POST /v1/payment_intents`
///
/// # Errors
/// 400 for invalid, unknown or unsupported parameters. With `confirm=true` also 402 when the
/// payment is declined.
pub(super) fn create(transaction: &mut Transaction<'_>, call: &mut Call) -> Result<Value, Error> {
    let params = &mut call.params;
    let amount = params.integer("amount", 1)?;
    let currency = params.text("currency")?;
    let metadata_change = params.metadata()?;
    let texts = Texts::take(params)?;
    let confirm = params.boolean("confirm")?.unwrap_or(false);
    let method = payment_method_params::take(params)?;
    let confirmation = Confirmation::take(params)?;
    let accepted = AcceptedMethods::take(params)?;
    let capture_method = params
        .choice("capture_method", &["automatic", "automatic_async", "manual"])?
        .unwrap_or("automatic_async");
    if capture_method == "manual" {
        return Err(params.unsupported("capture_method"));
    }
    if params.choice("confirmation_method", &["automatic", "manual"])? == Some("manual") {
        return Err(params.unsupported("confirmation_method"));
    }
    params.reject_unsupported(UNSUPPORTED)?;
    call.finish_params()?;
    let currency = money::currency(&required(currency, "currency")?)?;
    let amount = required(amount, "amount")?;
    money::check_amount(amount, &currency)?;
    if confirmation.return_url.is_some() && !confirm {
        let message = "You cannot provide `return_url` unless `confirm=true`.";
        return Err(Error::parameter("return_url", message));
    }

    let id = ids::new("pi_");
    let mut intent = PaymentIntent {
        client_secret: format!("{id}_secret_{}", ids::random(25)),
        id,
        amount,
        amount_received: 0,
        payment_method_types: accepted.types(&currency),
        automatic: accepted.automatic,
        canceled_at: None,
        cancellation_reason: None,
        capture_method: capture_method.to_owned(),
        created: transaction.now,
        currency,
        description: None,
        last_payment_error: None,
        latest_charge: None,
        metadata: BTreeMap::new(),
        next_action: None,
        payment_method: None,
        receipt_email: None,
        return_url: confirmation.return_url,
        statement_descriptor: None,
        statement_descriptor_suffix: None,
        status: Status::RequiresPaymentMethod,
    };
    metadata_change.apply_to(&mut intent.metadata);
    texts.apply(&mut intent);
    if let Some(test) = method {
        payment_method_params::attach(&mut intent, PaymentMethod::new(test, transaction.now))?;
    }
    transaction.put(intent.clone());
    transaction.emit("payment_intent.created", intent.to_json());
    if confirm {
        intent = transaction.attempt(intent, confirmation.on_session)?;
    }
    Ok(intent.to_json())
}

/// `GET /v1/payment_intents/{id}`
///
/// # Errors
/// 400 for an unknown parameter or a missing or wrong client secret, 404 when the intent does not
/// exist.
pub(super) fn retrieve(transaction: &mut Transaction<'_>, call: &mut Call) -> Result<Value, Error> {
    let client_secret = call.params.text("client_secret")?;
    call.finish_params()?;
    let intent = transaction.intent(&call.id)?;
    call.authorize(&intent, client_secret.as_deref())?;
    Ok(call.show(&intent))
}

/// `POST /v1/payment_intents/{id}`
///
/// # Errors
/// 400 for invalid, unknown or unsupported parameters, or when the state of the intent does not
/// allow the change; 404 when the intent does not exist.
pub(super) fn update(transaction: &mut Transaction<'_>, call: &mut Call) -> Result<Value, Error> {
    let params = &mut call.params;
    let amount = params.integer("amount", 1)?;
    let currency = params.text("currency")?.map(|text| money::currency(&text)).transpose()?;
    let metadata_change = params.metadata()?;
    let texts = Texts::take(params)?;
    let method = payment_method_params::take(params)?;
    params.reject_unsupported(UNSUPPORTED)?;
    params.reject_unsupported(&["payment_method_types", "capture_method"])?;
    call.finish_params()?;

    let mut intent = transaction.intent(&call.id)?;
    for (name, given) in [
        ("amount", amount.is_some()),
        ("currency", currency.is_some()),
        ("payment_method", method.is_some()),
    ] {
        if given && !intent.status.is_open() {
            let message = format!(
                "This PaymentIntent's {name} could not be updated because it has a status of {}. \
                 You may only update the {name} of a PaymentIntent with one of the following \
                 statuses: requires_payment_method, requires_confirmation, requires_action.",
                intent.status.name()
            );
            return Err(intent.unexpected_state(message).param(name));
        }
    }
    let amount = amount.unwrap_or(intent.amount);
    let currency = currency.unwrap_or_else(|| intent.currency.clone());
    money::check_amount(amount, &currency)?;
    let price_changes = (amount, &currency) != (intent.amount, &intent.currency);
    if price_changes && intent.status == Status::RequiresAction {
        // The customer was asked to authenticate the old price.
        intent.status = Status::RequiresConfirmation;
        intent.next_action = None;
    }
    intent.amount = amount;
    intent.currency = currency;
    if let Some(test) = method {
        payment_method_params::attach(&mut intent, PaymentMethod::new(test, transaction.now))?;
    }
    metadata_change.apply_to(&mut intent.metadata);
    texts.apply(&mut intent);
    transaction.put(intent.clone());
    Ok(intent.to_json())
}

/// `POST /v1/payment_intents/{id}/confirm`
///
/// # Errors
/// 400 for invalid, unknown or unsupported parameters, for a missing or wrong client secret, or
/// when the state of the intent does not allow it; 402 when the payment is declined; 404 when the
/// intent does not exist.
pub(super) fn confirm(transaction: &mut Transaction<'_>, call: &mut Call) -> Result<Value, Error> {
    let params = &mut call.params;
    let client_secret = params.text("client_secret")?;
    let attached = transaction.store.intents.get(&call.id);
    let attached = attached.and_then(|intent| intent.payment_method.as_ref());
    let method = payment_method_params::take_unless_attached(params, attached)?;
    let confirmation = Confirmation::take(params)?;
    let receipt_email = params.text("receipt_email")?;
    params.reject_unsupported(UNSUPPORTED)?;
    params.reject_unsupported(&["payment_method_types", "capture_method"])?;
    call.finish_params()?;

    let mut intent = transaction.intent(&call.id)?;
    call.authorize(&intent, client_secret.as_deref())?;
    match intent.status {
        Status::Succeeded => {
            return Err(intent.unexpected_state(
                "You cannot confirm this PaymentIntent because it has already succeeded after \
                 being previously confirmed.",
            ));
        }
        Status::Processing | Status::Canceled => {
            return Err(intent.unexpected_state(format!(
                "You cannot confirm this PaymentIntent because it has a status of {}. Only a \
                 PaymentIntent with one of the following statuses may be confirmed: \
                 requires_confirmation, requires_action, requires_payment_method.",
                intent.status.name()
            )));
        }
        Status::RequiresPaymentMethod | Status::RequiresConfirmation | Status::RequiresAction => {}
    }
    if let Some(test) = method {
        payment_method_params::attach(&mut intent, PaymentMethod::new(test, transaction.now))?;
    }
    intent.return_url = confirmation.return_url.or(intent.return_url);
    intent.receipt_email = receipt_email.or(intent.receipt_email);
    let intent = transaction.attempt(intent, confirmation.on_session)?;
    Ok(call.show(&intent))
}

/// `POST /v1/payment_intents/{id}/cancel`
///
/// At Stripe, a `processing` intent can be canceled "in rare cases"
/// (<https://docs.stripe.com/api/payment_intents/cancel>), in the stand-in never.
///
/// # Errors
/// 400 for invalid or unknown parameters, or when the state of the intent does not allow it; 404
/// when the intent does not exist.
pub(super) fn cancel(transaction: &mut Transaction<'_>, call: &mut Call) -> Result<Value, Error> {
    let reasons = ["duplicate", "fraudulent", "requested_by_customer", "abandoned"];
    let reason = call.params.choice("cancellation_reason", &reasons)?;
    call.finish_params()?;
    let intent = transaction.intent(&call.id)?;
    if !intent.status.is_open() {
        return Err(intent.unexpected_state(format!(
            "You cannot cancel this PaymentIntent because it has a status of {}. Only a \
             PaymentIntent with one of the following statuses may be canceled: \
             requires_payment_method, requires_capture, requires_confirmation, requires_action.",
            intent.status.name()
        )));
    }
    Ok(transaction.cancel(intent, reason).to_json())
}

/// `GET /v1/payment_intents`
///
/// # Errors
/// 400 for invalid, unknown or unsupported parameters.
pub(super) fn list(transaction: &mut Transaction<'_>, call: &mut Call) -> Result<Value, Error> {
    let page = Page::take(&mut call.params)?;
    call.params.reject_unsupported(&["customer", "customer_account"])?;
    call.finish_params()?;
    page.of(&transaction.store.intents, "/v1/payment_intents", |_| true, PaymentIntent::to_json)
}
