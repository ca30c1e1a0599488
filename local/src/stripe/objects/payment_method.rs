//! Stripe's test payment methods (<https://docs.stripe.com/testing>): what is charged and what comes of it is known by the name.
//!
//! A method may be given as `pm_card_...`, as a token (`tok_...`) or, in `payment_method_data`, by its test number. As at Stripe, every
//! use makes a new `pm_` id; its row is kept by name.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::stripe::ids;

/// A row of the table.
#[derive(Debug)]
pub(in crate::stripe) struct TestMethod {
    /// `pm_card_visa`; for cards, the token is the same name with `tok` for `pm_card`, in Stripe's spelling.
    pub(in crate::stripe) name: &'static str,
    token: &'static str,
    number: &'static str,
    kind: Kind,
    /// What a confirmation does.
    pub(in crate::stripe) outcome: Outcome,
    /// What happens after a successful charge.
    pub(in crate::stripe) aftermath: Aftermath,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    /// A card of this brand.
    Card(&'static str),
    UsBankAccount,
}

/// What a confirmation does.
#[derive(Debug, Clone, Copy)]
pub(in crate::stripe) enum Outcome {
    /// Charged at once.
    Succeeds,
    /// Charged at once, but the call takes its time ([`Options::slow_payment`](crate::stripe::Options)).
    SucceedsSlowly,
    /// Refused at once.
    Declines(Decline),
    /// `requires_action` first; then charged, or refused.
    Authenticates(Option<Decline>),
    /// `processing` first, and by itself charged or refused later; `None` waits for the control API.
    Processes(Option<Settlement>),
}

/// The end of a delayed payment.
#[derive(Debug, Clone, Copy)]
pub(in crate::stripe) enum Settlement {
    /// It is paid.
    Succeeds,
    /// It is refused.
    Fails(Decline),
}

/// A refusal, as <https://docs.stripe.com/declines/codes> words it.
#[derive(Debug, Clone, Copy)]
pub(in crate::stripe) struct Decline {
    pub(in crate::stripe) code: &'static str,
    pub(in crate::stripe) decline_code: Option<&'static str>,
    pub(in crate::stripe) message: &'static str,
    pub(in crate::stripe) param: Option<&'static str>,
}

/// What happens after a successful charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::stripe) enum Aftermath {
    /// Nothing.
    None,
    /// The charge is disputed as fraudulent.
    Dispute,
    /// A refund succeeds, and fails some time later.
    RefundFails,
    /// A refund is pending, and succeeds some time later.
    RefundPends,
}

const fn decline(code: &'static str, decline_code: Option<&'static str>, message: &'static str) -> Decline {
    Decline { code, decline_code, message, param: None }
}

const GENERIC: Decline = decline("card_declined", Some("generic_decline"), "Your card was declined.");
const INSUFFICIENT_FUNDS: Decline =
    decline("card_declined", Some("insufficient_funds"), "Your card has insufficient funds.");
const LOST: Decline = decline("card_declined", Some("lost_card"), "Your card was declined.");
const STOLEN: Decline = decline("card_declined", Some("stolen_card"), "Your card was declined.");
const EXPIRED: Decline =
    Decline { param: Some("exp_month"), ..decline("expired_card", Some("expired_card"), "Your card has expired.") };
const INCORRECT_CVC: Decline = Decline {
    param: Some("cvc"),
    ..decline("incorrect_cvc", Some("incorrect_cvc"), "Your card's security code is incorrect.")
};
const PROCESSING_ERROR: Decline = decline(
    "processing_error",
    Some("processing_error"),
    "An error occurred while processing your card. Try again in a little bit.",
);
const BANK_FUNDS: Decline = decline(
    "payment_intent_payment_attempt_failed",
    None,
    "The customer's account has insufficient funds to cover this payment.",
);
const BANK_ACCOUNT: Decline =
    decline("payment_intent_payment_attempt_failed", None, "The customer's bank account could not be located.");

const fn card(name: &'static str, token: &'static str, number: &'static str, outcome: Outcome) -> TestMethod {
    TestMethod { name, token, number, kind: Kind::Card("visa"), outcome, aftermath: Aftermath::None }
}

const fn bank(name: &'static str, outcome: Outcome) -> TestMethod {
    TestMethod { name, token: "", number: "", kind: Kind::UsBankAccount, outcome, aftermath: Aftermath::None }
}

const METHODS: &[TestMethod] = &[
    card("pm_card_visa", "tok_visa", "4242424242424242", Outcome::Succeeds),
    card("pm_card_visa_debit", "tok_visa_debit", "4000056655665556", Outcome::Succeeds),
    TestMethod {
        kind: Kind::Card("mastercard"),
        ..card("pm_card_mastercard", "tok_mastercard", "5555555555554444", Outcome::Succeeds)
    },
    TestMethod { kind: Kind::Card("amex"), ..card("pm_card_amex", "tok_amex", "378282246310005", Outcome::Succeeds) },
    TestMethod {
        kind: Kind::Card("discover"),
        ..card("pm_card_discover", "tok_discover", "6011111111111117", Outcome::Succeeds)
    },
    // Not Stripe's: the way to have two calls at once on purpose.
    card("pm_card_slow", "tok_slow", "", Outcome::SucceedsSlowly),
    card("pm_card_visa_chargeDeclined", "tok_visa_chargeDeclined", "4000000000000002", Outcome::Declines(GENERIC)),
    card("pm_card_chargeDeclined", "tok_chargeDeclined", "", Outcome::Declines(GENERIC)),
    card(
        "pm_card_visa_chargeDeclinedInsufficientFunds",
        "tok_visa_chargeDeclinedInsufficientFunds",
        "4000000000009995",
        Outcome::Declines(INSUFFICIENT_FUNDS),
    ),
    card(
        "pm_card_chargeDeclinedInsufficientFunds",
        "tok_chargeDeclinedInsufficientFunds",
        "",
        Outcome::Declines(INSUFFICIENT_FUNDS),
    ),
    card(
        "pm_card_visa_chargeDeclinedLostCard",
        "tok_visa_chargeDeclinedLostCard",
        "4000000000009987",
        Outcome::Declines(LOST),
    ),
    card("pm_card_chargeDeclinedLostCard", "tok_chargeDeclinedLostCard", "", Outcome::Declines(LOST)),
    card(
        "pm_card_visa_chargeDeclinedStolenCard",
        "tok_visa_chargeDeclinedStolenCard",
        "4000000000009979",
        Outcome::Declines(STOLEN),
    ),
    card("pm_card_chargeDeclinedStolenCard", "tok_chargeDeclinedStolenCard", "", Outcome::Declines(STOLEN)),
    card(
        "pm_card_chargeDeclinedExpiredCard",
        "tok_chargeDeclinedExpiredCard",
        "4000000000000069",
        Outcome::Declines(EXPIRED),
    ),
    card(
        "pm_card_chargeDeclinedIncorrectCvc",
        "tok_chargeDeclinedIncorrectCvc",
        "4000000000000127",
        Outcome::Declines(INCORRECT_CVC),
    ),
    card(
        "pm_card_chargeDeclinedProcessingError",
        "tok_chargeDeclinedProcessingError",
        "4000000000000119",
        Outcome::Declines(PROCESSING_ERROR),
    ),
    card(
        "pm_card_authenticationRequired",
        "tok_authenticationRequired",
        "4000002760003184",
        Outcome::Authenticates(None),
    ),
    card(
        "pm_card_threeDSecure2Required",
        "tok_threeDSecure2Required",
        "4000000000003220",
        Outcome::Authenticates(None),
    ),
    card("pm_card_threeDSecureRequired", "tok_threeDSecureRequired", "4000000000003063", Outcome::Authenticates(None)),
    card(
        "pm_card_threeDSecureRequiredChargeDeclined",
        "tok_threeDSecureRequiredChargeDeclined",
        "4000008400001629",
        Outcome::Authenticates(Some(GENERIC)),
    ),
    TestMethod {
        aftermath: Aftermath::Dispute,
        ..card("pm_card_createDispute", "tok_createDispute", "4000000000000259", Outcome::Succeeds)
    },
    TestMethod {
        aftermath: Aftermath::RefundFails,
        ..card("pm_card_refundFail", "tok_refundFail", "4000000000005126", Outcome::Succeeds)
    },
    TestMethod {
        aftermath: Aftermath::RefundPends,
        ..card("pm_card_pendingRefund", "tok_pendingRefund", "4000000000007726", Outcome::Succeeds)
    },
    bank("pm_usBankAccount_success", Outcome::Processes(Some(Settlement::Succeeds))),
    bank("pm_usBankAccount_processing", Outcome::Processes(None)),
    bank("pm_usBankAccount_insufficientFunds", Outcome::Processes(Some(Settlement::Fails(BANK_FUNDS)))),
    bank("pm_usBankAccount_noAccount", Outcome::Processes(Some(Settlement::Fails(BANK_ACCOUNT)))),
];

/// The row for a name or a token.
pub(in crate::stripe) fn by_name(name: &str) -> Option<&'static TestMethod> {
    METHODS.iter().find(|method| method.name == name || (!method.token.is_empty() && method.token == name))
}

/// The row for a card number.
pub(in crate::stripe) fn by_number(number: &str) -> Option<&'static TestMethod> {
    let digits: String = number.chars().filter(|c| !c.is_whitespace()).collect();
    METHODS.iter().find(|method| !method.number.is_empty() && method.number == digits)
}

impl TestMethod {
    /// `card` or `us_bank_account`.
    pub(in crate::stripe) fn kind(&self) -> &'static str {
        match self.kind {
            Kind::Card(_) => "card",
            Kind::UsBankAccount => "us_bank_account",
        }
    }

    fn last4(&self) -> &'static str {
        match self.kind {
            Kind::Card(_) => {
                self.number.get(self.number.len().saturating_sub(4)..).filter(|last| last.len() == 4).unwrap_or("0002")
            }
            Kind::UsBankAccount => "6789",
        }
    }

    /// `payment_method_details` of a charge.
    pub(in crate::stripe) fn details(&self) -> Value {
        match self.kind {
            Kind::Card(brand) => json!({
                "type": "card",
                "card": { "brand": brand, "country": "US", "exp_month": 12, "exp_year": 2034, "funding": "credit", "last4": self.last4(), "network": brand },
            }),
            Kind::UsBankAccount => json!({
                "type": "us_bank_account",
                "us_bank_account": { "account_holder_type": "individual", "account_type": "checking", "bank_name": "STRIPE TEST BANK",
                    "last4": self.last4(), "routing_number": "110000000" },
            }),
        }
    }
}

/// A payment method attached to an intent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::stripe) struct PaymentMethod {
    /// `pm_...`.
    pub(in crate::stripe) id: String,
    test: String,
    created: i64,
}

impl PaymentMethod {
    /// A new method of the row `test`.
    pub(in crate::stripe) fn new(test: &TestMethod, now: i64) -> Self {
        Self { id: ids::new("pm_"), test: test.name.to_owned(), created: now }
    }

    /// Its row. One that a later version of the table has lost is an ordinary card.
    pub(in crate::stripe) fn test(&self) -> &'static TestMethod {
        by_name(&self.test).unwrap_or(&METHODS[0])
    }

    /// The payment method object.
    pub(in crate::stripe) fn to_json(&self) -> Value {
        let test = self.test();
        let mut object = test.details();
        object["id"] = self.id.clone().into();
        object["object"] = "payment_method".into();
        object["allow_redisplay"] = "unspecified".into();
        object["billing_details"] = billing_details();
        object["created"] = self.created.into();
        object["customer"] = Value::Null;
        object["livemode"] = false.into();
        object["metadata"] = json!({});
        object
    }
}

/// Billing details of which nothing is known.
pub(in crate::stripe) fn billing_details() -> Value {
    json!({
        "address": { "city": null, "country": null, "line1": null, "line2": null, "postal_code": null, "state": null },
        "email": null, "name": null, "phone": null, "tax_id": null,
    })
}
