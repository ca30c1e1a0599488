//! The parameters with which a call names a payment method: `payment_method=pm_card_visa`, or
//! `payment_method_data` with the token or the test number of a card.

use crate::error::{Error, required};
use crate::objects::payment_intent::{PaymentIntent, Status};
use crate::objects::payment_method::PaymentMethod;
use crate::objects::test_method::{TestMethod, by_name, by_number, by_token};
use crate::params::Params;

/// The types of payment methods that the stand-in supports.
const TYPES: &[&str] = &["card", "us_bank_account"];

/// Takes the payment method that the call names, if it names one.
///
/// # Errors
/// 400 when the method is unknown, its parameters are invalid, or two methods are named; 402
/// `incorrect_number` when no test card has the number.
pub(super) fn take(params: &mut Params) -> Result<Option<&'static TestMethod>, Error> {
    let id = params.text("payment_method")?;
    let data = params.branch("payment_method_data")?;
    match (id, data) {
        (None, None) => Ok(None),
        (Some(_), Some(_)) => {
            let message = "You may only specify one of these parameters: payment_method, \
                           payment_method_data.";
            Err(Error::parameter("payment_method_data", message))
        }
        (Some(id), None) => by_name(&id).map(Some).ok_or_else(|| {
            let message = format!("No such PaymentMethod: '{id}'");
            Error::parameter("payment_method", message).code("resource_missing")
        }),
        (None, Some(data)) => from_data(data).map(Some),
    }
}

/// Takes the payment method that the call names. Returns `None` if it is the `attached` method.
///
/// # Errors
/// As for [`take`]: 400 for an unknown method or invalid parameters, 402 for an unknown number.
pub(super) fn take_unless_attached(
    params: &mut Params,
    attached: Option<&PaymentMethod>,
) -> Result<Option<&'static TestMethod>, Error> {
    let is_attached = attached.is_some_and(|method| {
        params.peek("payment_method") == Some(&method.id)
            && !params.is_branch("payment_method_data")
    });
    if is_attached {
        params.text("payment_method")?;
        return Ok(None);
    }
    take(params)
}

fn from_data(mut data: Params) -> Result<&'static TestMethod, Error> {
    let kind = data.choice("type", TYPES)?;
    // Stripe's browser library always sends this. The stand-in doesn't need to know who pays.
    data.branch("billing_details")?;
    let card = data.branch("card")?;
    let (Some("card"), Some(mut card)) = (kind, card) else {
        return Err(data.unsupported("type"));
    };
    data.finish()?;
    let (token, number) = (card.text("token")?, card.text("number")?);
    for detail in ["exp_month", "exp_year", "cvc"] {
        card.text(detail)?;
    }
    card.finish()?;
    match (token, number) {
        (Some(token), None) => by_token(&token).ok_or_else(|| {
            let message = format!("No such token: '{token}'");
            Error::parameter("payment_method_data[card][token]", message).code("resource_missing")
        }),
        (None, Some(number)) => by_number(&number).ok_or_else(|| {
            let code = "incorrect_number";
            Error::card("Your card number is incorrect.", code, Some(code)).param("number")
        }),
        _ => Err(Error::parameter(
            "payment_method_data[card]",
            "Give the card's token or its number.",
        )),
    }
}

/// The payment methods that an intent accepts.
pub(super) struct AcceptedMethods {
    /// The value of `allow_redirects`, if Stripe chooses the types.
    pub(super) automatic: Option<String>,
    /// The types, if the call names them.
    types: Option<Vec<String>>,
}

impl AcceptedMethods {
    /// Takes `automatic_payment_methods` and `payment_method_types`. With neither, Stripe chooses
    /// the types.
    ///
    /// # Errors
    /// 400 when a type is unknown, or when both parameters are given.
    pub(super) fn take(params: &mut Params) -> Result<Self, Error> {
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
            let enabled =
                required(branch.boolean("enabled")?, "automatic_payment_methods[enabled]")?;
            let redirects = branch.choice("allow_redirects", &["always", "never"])?;
            branch.finish()?;
            if enabled && types.is_some() {
                let message = "You may only specify one of these parameters: \
                               automatic_payment_methods, payment_method_types.";
                return Err(Error::parameter("automatic_payment_methods", message));
            }
            automatic = enabled.then(|| redirects.unwrap_or("always").to_owned());
        }
        let types = types.or_else(|| automatic.is_none().then(|| vec!["card".to_owned()]));
        Ok(Self { automatic, types })
    }

    /// Returns the types that an intent in this currency accepts. If Stripe chooses, bank accounts
    /// are only accepted for US dollars.
    pub(super) fn types(&self, currency: &str) -> Vec<String> {
        self.types.clone().unwrap_or_else(|| {
            let count = if currency == "usd" { 2 } else { 1 };
            TYPES.iter().take(count).map(|kind| (*kind).to_owned()).collect()
        })
    }
}

/// Attaches a payment method, so that the intent can be confirmed.
///
/// # Errors
/// 400 when the intent does not accept methods of this type.
pub(super) fn attach(intent: &mut PaymentIntent, method: PaymentMethod) -> Result<(), Error> {
    let kind = method.test().kind();
    if !intent.payment_method_types.iter().any(|allowed| allowed == kind) {
        let allowed = intent.payment_method_types.join(", ");
        let message = format!(
            "The PaymentMethod provided ({kind}) is not allowed for this PaymentIntent. Please \
             attach a PaymentMethod of one of the following types: {allowed}. Alternatively, \
             update the allowed payment_method_types for this PaymentIntent to include \"{kind}\"."
        );
        return Err(Error::invalid_request(message).param("payment_method"));
    }
    intent.payment_method = Some(method);
    intent.status = Status::RequiresConfirmation;
    intent.next_action = None;
    intent.last_payment_error = None;
    Ok(())
}
