//! How a call names a payment method: `payment_method=pm_card_visa`, or `payment_method_data` with
//! a card's token or test number.

use crate::error::Error;
use crate::objects::payment_intent::{PaymentIntent, Status};
use crate::objects::payment_method::PaymentMethod;
use crate::objects::test_method::{TestMethod, by_name, by_number, by_token};
use crate::params::Params;

/// The types the stand-in has.
const TYPES: &[&str] = &["card", "us_bank_account"];

/// Takes the method out of the parameters.
pub(super) fn take(params: &mut Params) -> Result<Option<&'static TestMethod>, Error> {
    take_again(params, None)
}

/// The same, when `known` is attached already and may be named by its own id.
pub(super) fn take_again(
    params: &mut Params,
    known: Option<&PaymentMethod>,
) -> Result<Option<&'static TestMethod>, Error> {
    let named = params.text("payment_method")?;
    let data = params.branch("payment_method_data")?;
    match (named, data) {
        (None, None) => Ok(None),
        (Some(_), Some(_)) => {
            let message = "You may only specify one of these parameters: payment_method, payment_method_data.";
            Err(Error::parameter("payment_method_data", message))
        }
        (Some(id), None) if known.is_some_and(|known| known.id == id) => Ok(None),
        (Some(id), None) => {
            let missing = || {
                Error::parameter("payment_method", format!("No such PaymentMethod: '{id}'"))
                    .code("resource_missing")
            };
            by_name(&id).map(Some).ok_or_else(missing)
        }
        (None, Some(data)) => from_data(data).map(Some),
    }
}

fn from_data(mut data: Params) -> Result<&'static TestMethod, Error> {
    let kind = data.choice("type", TYPES)?;
    // Who pays is no matter here, and Stripe's browser library always says it.
    data.branch("billing_details")?;
    let card = data.branch("card")?;
    let (Some("card"), Some(mut card)) = (kind, card) else {
        return Err(data.not_done("type"));
    };
    data.finish()?;
    let (token, number) = (card.text("token")?, card.text("number")?);
    for detail in ["exp_month", "exp_year", "cvc"] {
        card.text(detail)?;
    }
    card.finish()?;
    match (token, number) {
        (Some(token), None) => by_token(&token).ok_or_else(|| {
            Error::parameter(
                "payment_method_data[card][token]",
                format!("No such token: '{token}'"),
            )
            .code("resource_missing")
        }),
        (None, Some(number)) => by_number(&number).ok_or_else(|| {
            Error::card(
                "Your card number is incorrect.",
                "incorrect_number",
                Some("incorrect_number"),
            )
            .param("number")
        }),
        _ => Err(Error::parameter(
            "payment_method_data[card]",
            "Give the card's token or its number.",
        )),
    }
}

/// Takes `automatic_payment_methods` and `payment_method_types`: what is automatic
/// (`allow_redirects`), and the types when they are given. An intent made with neither takes
/// methods automatically.
pub(super) fn take_types(
    params: &mut Params,
) -> Result<(Option<String>, Option<Vec<String>>), Error> {
    let types = params.list("payment_method_types")?;
    if let Some(odd) = types.iter().flatten().find(|kind| !TYPES.contains(&kind.as_str())) {
        let message = format!(
            "The payment method type \"{odd}\" is invalid. The local Stripe stand-in has {}.",
            TYPES.join(" and ")
        );
        return Err(Error::parameter("payment_method_types", message));
    }
    let mut automatic = types.is_none().then(|| "always".to_owned());
    if let Some(mut branch) = params.branch("automatic_payment_methods")? {
        let enabled = crate::error::required(
            branch.boolean("enabled")?,
            "automatic_payment_methods[enabled]",
        )?;
        let redirects = branch.choice("allow_redirects", &["always", "never"])?.unwrap_or("always");
        branch.finish()?;
        if enabled && types.is_some() {
            let message = "You may only specify one of these parameters: automatic_payment_methods, payment_method_types.";
            return Err(Error::parameter("automatic_payment_methods", message));
        }
        automatic = enabled.then(|| redirects.to_owned());
    }
    let types = types.or_else(|| automatic.is_none().then(|| vec!["card".to_owned()]));
    Ok((automatic, types))
}

/// The types that an intent in this currency takes when they are chosen automatically.
pub(super) fn automatic_types(currency: &str) -> Vec<String> {
    let count = if currency == "usd" { 2 } else { 1 };
    TYPES.iter().take(count).map(|kind| (*kind).to_owned()).collect()
}

/// Attaches the method, which is then to be confirmed.
pub(super) fn attach(intent: &mut PaymentIntent, method: PaymentMethod) -> Result<(), Error> {
    let kind = method.test().kind();
    if !intent.payment_method_types.iter().any(|allowed| allowed == kind) {
        let allowed = intent.payment_method_types.join(", ");
        return Err(Error::refused(format!(
            "The PaymentMethod provided ({kind}) is not allowed for this PaymentIntent. Please attach a PaymentMethod of one of the following types: {allowed}. \
             Alternatively, update the allowed payment_method_types for this PaymentIntent to include \"{kind}\"."
        ))
        .param("payment_method"));
    }
    intent.payment_method = Some(method);
    intent.status = Status::RequiresConfirmation;
    intent.next_action = None;
    intent.last_payment_error = None;
    Ok(())
}
