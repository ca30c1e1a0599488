//! `/v1/payment_intents`: <https://docs.stripe.com/api/payment_intents>.

use std::collections::BTreeMap;

use serde_json::Value;

use super::intent_params::{Confirmation, Described, UNSUPPORTED};
use super::list::Page;
use super::{Call, payment_methods};
use crate::error::{Error, required};
use crate::objects::payment_intent::{PaymentIntent, Status};
use crate::objects::payment_method::PaymentMethod;
use crate::transaction::Transaction;
use crate::{ids, money};

/// `POST /v1/payment_intents`
pub(super) fn create(transaction: &mut Transaction<'_>, call: &mut Call) -> Result<Value, Error> {
    let params = &mut call.params;
    let amount = params.integer("amount", 1)?;
    let currency = params.text("currency")?;
    let metadata = params.metadata()?;
    let described = Described::take(params)?;
    let confirm = params.boolean("confirm")?.unwrap_or(false);
    let method = payment_methods::take(params)?;
    let confirmation = Confirmation::take(params)?;
    let (automatic, types) = payment_methods::take_types(params)?;
    let capture_method = params
        .choice("capture_method", &["automatic", "automatic_async", "manual"])?
        .unwrap_or("automatic_async");
    if capture_method == "manual" {
        return Err(params.not_done("capture_method"));
    }
    if params.choice("confirmation_method", &["automatic", "manual"])? == Some("manual") {
        return Err(params.not_done("confirmation_method"));
    }
    params.unsupported(UNSUPPORTED)?;
    std::mem::take(params).finish()?;
    let currency = money::currency(&required(currency, "currency")?)?;
    let amount = required(amount, "amount")?;
    money::check(amount, &currency)?;
    if confirmation.return_url.is_some() && !confirm {
        return Err(Error::parameter(
            "return_url",
            "You cannot provide `return_url` unless `confirm=true`.",
        ));
    }

    let id = ids::new("pi_");
    let payment_method_types = types.unwrap_or_else(|| payment_methods::automatic_types(&currency));
    let method = method.map(|test| PaymentMethod::new(test, transaction.now));
    let mut intent = PaymentIntent {
        client_secret: format!("{id}_secret_{}", ids::random(25)),
        id,
        amount,
        amount_received: 0,
        automatic,
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
        payment_method_types,
        receipt_email: None,
        return_url: confirmation.return_url,
        statement_descriptor: None,
        statement_descriptor_suffix: None,
        status: Status::RequiresPaymentMethod,
    };
    metadata.merge_into(&mut intent.metadata);
    described.apply(&mut intent);
    if let Some(method) = method {
        payment_methods::attach(&mut intent, method)?;
    }
    transaction.put(intent.clone());
    transaction.emit("payment_intent.created", intent.to_json());
    if confirm {
        intent = transaction.attempt(intent, confirmation.present)?;
    }
    Ok(intent.to_json())
}

/// `GET /v1/payment_intents/{id}`
pub(super) fn retrieve(transaction: &mut Transaction<'_>, call: &mut Call) -> Result<Value, Error> {
    let client_secret = call.params.text("client_secret")?;
    std::mem::take(&mut call.params).finish()?;
    let intent = transaction.intent(&call.id)?;
    call.allow(&intent, client_secret.as_deref())?;
    Ok(call.show(&intent))
}

/// `POST /v1/payment_intents/{id}`
pub(super) fn update(transaction: &mut Transaction<'_>, call: &mut Call) -> Result<Value, Error> {
    let params = &mut call.params;
    let amount = params.integer("amount", 1)?;
    let currency = params.text("currency")?.map(|text| money::currency(&text)).transpose()?;
    let metadata = params.metadata()?;
    let described = Described::take(params)?;
    let method = payment_methods::take(params)?;
    params.unsupported(UNSUPPORTED)?;
    params.unsupported(&["payment_method_types", "capture_method"])?;
    std::mem::take(params).finish()?;

    let mut intent = transaction.intent(&call.id)?;
    for (name, given) in [
        ("amount", amount.is_some()),
        ("currency", currency.is_some()),
        ("payment_method", method.is_some()),
    ] {
        if given && !intent.status.is_open() {
            let message = format!(
                "This PaymentIntent's {name} could not be updated because it has a status of {}. You may only update the {name} of a PaymentIntent with \
                 one of the following statuses: requires_payment_method, requires_confirmation, requires_action.",
                intent.status.name()
            );
            return Err(intent.unexpected_state(message).param(name));
        }
    }
    let price =
        (amount.unwrap_or(intent.amount), currency.unwrap_or_else(|| intent.currency.clone()));
    money::check(price.0, &price.1)?;
    if price != (intent.amount, intent.currency.clone()) && intent.status == Status::RequiresAction
    {
        // What the customer was asked to authenticate is no longer what is to be paid.
        intent.status = Status::RequiresConfirmation;
        intent.next_action = None;
    }
    (intent.amount, intent.currency) = price;
    if let Some(test) = method {
        payment_methods::attach(&mut intent, PaymentMethod::new(test, transaction.now))?;
    }
    metadata.merge_into(&mut intent.metadata);
    described.apply(&mut intent);
    transaction.put(intent.clone());
    Ok(intent.to_json())
}

/// `POST /v1/payment_intents/{id}/confirm`
pub(super) fn confirm(transaction: &mut Transaction<'_>, call: &mut Call) -> Result<Value, Error> {
    let params = &mut call.params;
    let client_secret = params.text("client_secret")?;
    let known =
        transaction.store.intents.get(&call.id).and_then(|intent| intent.payment_method.clone());
    let method = payment_methods::take_again(params, known.as_ref())?;
    let confirmation = Confirmation::take(params)?;
    let receipt_email = params.text("receipt_email")?;
    params.unsupported(UNSUPPORTED)?;
    params.unsupported(&["payment_method_types", "capture_method"])?;
    std::mem::take(params).finish()?;

    let mut intent = transaction.intent(&call.id)?;
    call.allow(&intent, client_secret.as_deref())?;
    match intent.status {
        Status::Succeeded => {
            return Err(intent.unexpected_state("You cannot confirm this PaymentIntent because it has already succeeded after being previously confirmed."));
        }
        Status::Processing | Status::Canceled => {
            return Err(intent.unexpected_state(format!(
                "You cannot confirm this PaymentIntent because it has a status of {}. Only a PaymentIntent with one of the following statuses may be \
                 confirmed: requires_confirmation, requires_action, requires_payment_method.",
                intent.status.name()
            )));
        }
        Status::RequiresPaymentMethod | Status::RequiresConfirmation | Status::RequiresAction => {}
    }
    if let Some(test) = method {
        payment_methods::attach(&mut intent, PaymentMethod::new(test, transaction.now))?;
    }
    intent.return_url = confirmation.return_url.or(intent.return_url);
    intent.receipt_email = receipt_email.or(intent.receipt_email);
    let intent = transaction.attempt(intent, confirmation.present)?;
    Ok(call.show(&intent))
}

/// `POST /v1/payment_intents/{id}/cancel`
///
/// Stripe lets a `processing` intent be canceled "in rare cases"
/// (<https://docs.stripe.com/api/payment_intents/cancel>); here it never is.
pub(super) fn cancel(transaction: &mut Transaction<'_>, call: &mut Call) -> Result<Value, Error> {
    let reasons = ["duplicate", "fraudulent", "requested_by_customer", "abandoned"];
    let reason = call.params.choice("cancellation_reason", &reasons)?;
    std::mem::take(&mut call.params).finish()?;
    let intent = transaction.intent(&call.id)?;
    if !intent.status.is_open() {
        return Err(intent.unexpected_state(format!(
            "You cannot cancel this PaymentIntent because it has a status of {}. Only a PaymentIntent with one of the following statuses may be canceled: \
             requires_payment_method, requires_capture, requires_confirmation, requires_action.",
            intent.status.name()
        )));
    }
    Ok(transaction.cancel(intent, reason).to_json())
}

/// `GET /v1/payment_intents`
pub(super) fn list(transaction: &mut Transaction<'_>, call: &mut Call) -> Result<Value, Error> {
    let page = Page::take(&mut call.params)?;
    call.params.unsupported(&["customer", "customer_account"])?;
    std::mem::take(&mut call.params).finish()?;
    page.of(&transaction.store.intents, "/v1/payment_intents", |_| true, PaymentIntent::to_json)
}
