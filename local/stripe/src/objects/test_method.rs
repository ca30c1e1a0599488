//! Stripe's test payment methods (<https://docs.stripe.com/testing>). The method decides how a
//! payment ends.
//!
//! A card can be named as a payment method (`pm_card_visa`), as a token (`tok_visa`) or by its test
//! number. `pm_card_visa_chargeDeclined...` is the same card as `pm_card_chargeDeclined...`.

use serde_json::{Value, json};

/// A test payment method.
#[derive(Debug)]
pub(crate) struct TestMethod {
    /// Its name, such as `pm_card_visa`.
    pub(crate) name: &'static str,
    /// The test card number, or empty if it has none.
    number: &'static str,
    kind: Kind,
    /// The outcome of a confirmation.
    pub(crate) outcome: Outcome,
    /// What happens after a successful charge.
    pub(crate) aftermath: Aftermath,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    /// A card of this brand.
    Card(&'static str),
    UsBankAccount,
}

/// The outcome of a confirmation.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Outcome {
    /// Charges at once.
    Succeeds,
    /// Charges like [`Succeeds`](Self::Succeeds), but the call waits for
    /// [`slow_payment`](crate::Options::slow_payment) first.
    SucceedsSlowly,
    /// Declines at once.
    Declines(Decline),
    /// Waits for the customer (`requires_action`), then charges or declines.
    Authenticates(Option<Decline>),
    /// Waits for the bank (`processing`), which charges or declines after
    /// [`settlement`](crate::Options::settlement). With `None`, it waits until the control API ends
    /// the wait.
    Processes(Option<Settlement>),
}

/// How a delayed payment ends.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Settlement {
    /// The bank pays.
    Succeeds,
    /// The bank declines.
    Fails(Decline),
}

/// Why a payment is declined. Codes and messages are those of
/// <https://docs.stripe.com/declines/codes>.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decline {
    pub(crate) code: &'static str,
    pub(crate) decline_code: Option<&'static str>,
    pub(crate) message: &'static str,
    pub(crate) param: Option<&'static str>,
}

/// What happens after a successful charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aftermath {
    /// Nothing.
    None,
    /// The charge is disputed as fraudulent.
    Dispute,
    /// A refund succeeds at first, and fails after [`settlement`](crate::Options::settlement).
    RefundFails,
    /// A refund is pending at first, and succeeds after [`settlement`](crate::Options::settlement).
    RefundPends,
}

/// Returns the usual decline: `card_declined` with the bank's reason.
const fn declined(decline_code: &'static str, message: &'static str) -> Decline {
    Decline { code: "card_declined", decline_code: Some(decline_code), message, param: None }
}

/// Returns a decline whose `code` and `decline_code` are both this code.
const fn declined_with_code(
    code: &'static str,
    message: &'static str,
    param: Option<&'static str>,
) -> Decline {
    Decline { code, decline_code: Some(code), message, param }
}

/// Returns the decline of a bank debit.
pub(crate) const fn debit_failed(message: &'static str) -> Decline {
    let code = "payment_intent_payment_attempt_failed";
    Decline { code, decline_code: None, message, param: None }
}

const GENERIC: Decline = declined("generic_decline", "Your card was declined.");
const INSUFFICIENT_FUNDS: Decline =
    declined("insufficient_funds", "Your card has insufficient funds.");
const LOST: Decline = declined("lost_card", "Your card was declined.");
const STOLEN: Decline = declined("stolen_card", "Your card was declined.");
const EXPIRED: Decline =
    declined_with_code("expired_card", "Your card has expired.", Some("exp_month"));
const CVC: Decline =
    declined_with_code("incorrect_cvc", "Your card's security code is incorrect.", Some("cvc"));
const PROCESSING_ERROR: Decline = declined_with_code(
    "processing_error",
    "An error occurred while processing your card. Try again in a little bit.",
    None,
);
const ACCOUNT_INSUFFICIENT_FUNDS: Decline =
    debit_failed("The customer's account has insufficient funds to cover this payment.");
const NO_ACCOUNT: Decline = debit_failed("The customer's bank account could not be located.");

/// Returns a Visa card whose payment ends like this.
const fn card(name: &'static str, number: &'static str, outcome: Outcome) -> TestMethod {
    TestMethod { name, number, kind: Kind::Card("visa"), outcome, aftermath: Aftermath::None }
}

/// Returns a card of this brand that always succeeds.
const fn brand(name: &'static str, number: &'static str, brand: &'static str) -> TestMethod {
    TestMethod { kind: Kind::Card(brand), ..card(name, number, Outcome::Succeeds) }
}

/// Returns a card whose payment succeeds, and then has this aftermath.
const fn with_aftermath(
    name: &'static str,
    number: &'static str,
    aftermath: Aftermath,
) -> TestMethod {
    TestMethod { aftermath, ..card(name, number, Outcome::Succeeds) }
}

/// Returns a bank account whose payment ends like this.
const fn bank(name: &'static str, settlement: Option<Settlement>) -> TestMethod {
    TestMethod { kind: Kind::UsBankAccount, ..card(name, "", Outcome::Processes(settlement)) }
}

/// A card that always succeeds.
pub(crate) const VISA: TestMethod = card("pm_card_visa", "4242424242424242", Outcome::Succeeds);

const METHODS: &[TestMethod] = &[
    VISA,
    brand("pm_card_visa_debit", "4000056655665556", "visa"),
    brand("pm_card_mastercard", "5555555555554444", "mastercard"),
    brand("pm_card_amex", "378282246310005", "amex"),
    brand("pm_card_discover", "6011111111111117", "discover"),
    // Stripe has no such card. With this one, a test can send another call during a payment.
    card("pm_card_slow", "", Outcome::SucceedsSlowly),
    card("pm_card_chargeDeclined", "4000000000000002", Outcome::Declines(GENERIC)),
    card(
        "pm_card_chargeDeclinedInsufficientFunds",
        "4000000000009995",
        Outcome::Declines(INSUFFICIENT_FUNDS),
    ),
    card("pm_card_chargeDeclinedLostCard", "4000000000009987", Outcome::Declines(LOST)),
    card("pm_card_chargeDeclinedStolenCard", "4000000000009979", Outcome::Declines(STOLEN)),
    card("pm_card_chargeDeclinedExpiredCard", "4000000000000069", Outcome::Declines(EXPIRED)),
    card("pm_card_chargeDeclinedIncorrectCvc", "4000000000000127", Outcome::Declines(CVC)),
    card(
        "pm_card_chargeDeclinedProcessingError",
        "4000000000000119",
        Outcome::Declines(PROCESSING_ERROR),
    ),
    card("pm_card_authenticationRequired", "4000002760003184", Outcome::Authenticates(None)),
    card("pm_card_threeDSecure2Required", "4000000000003220", Outcome::Authenticates(None)),
    card("pm_card_threeDSecureRequired", "4000000000003063", Outcome::Authenticates(None)),
    card(
        "pm_card_threeDSecureRequiredChargeDeclined",
        "4000008400001629",
        Outcome::Authenticates(Some(GENERIC)),
    ),
    with_aftermath("pm_card_createDispute", "4000000000000259", Aftermath::Dispute),
    with_aftermath("pm_card_refundFail", "4000000000005126", Aftermath::RefundFails),
    with_aftermath("pm_card_pendingRefund", "4000000000007726", Aftermath::RefundPends),
    bank("pm_usBankAccount_success", Some(Settlement::Succeeds)),
    bank("pm_usBankAccount_processing", None),
    bank("pm_usBankAccount_insufficientFunds", Some(Settlement::Fails(ACCOUNT_INSUFFICIENT_FUNDS))),
    bank("pm_usBankAccount_noAccount", Some(Settlement::Fails(NO_ACCOUNT))),
];

/// Returns the method with a name, such as `pm_card_visa`.
pub(crate) fn by_name(name: &str) -> Option<&'static TestMethod> {
    let plain = name.replacen("pm_card_visa_chargeDeclined", "pm_card_chargeDeclined", 1);
    METHODS.iter().find(|method| method.name == plain)
}

/// Returns the method with a token, such as `tok_visa`.
pub(crate) fn by_token(token: &str) -> Option<&'static TestMethod> {
    by_name(&format!("pm_card_{}", token.strip_prefix("tok_")?))
}

/// Returns the method with a card number, which may contain spaces.
pub(crate) fn by_number(number: &str) -> Option<&'static TestMethod> {
    let digits: String = number.chars().filter(|c| !c.is_whitespace()).collect();
    METHODS.iter().find(|method| !method.number.is_empty() && method.number == digits)
}

impl TestMethod {
    /// Returns the type in the API: `card` or `us_bank_account`.
    pub(crate) fn kind(&self) -> &'static str {
        match self.kind {
            Kind::Card(_) => "card",
            Kind::UsBankAccount => "us_bank_account",
        }
    }

    /// Returns the `payment_method_details` of a charge.
    pub(crate) fn details(&self) -> Value {
        match self.kind {
            Kind::Card(brand) => {
                let last4 =
                    self.number.len().checked_sub(4).map_or("0000", |start| &self.number[start..]);
                json!({
                    "type": "card",
                    "card": {
                        "brand": brand, "country": "US", "exp_month": 12, "exp_year": 2034,
                        "funding": "credit", "last4": last4, "network": brand,
                    },
                })
            }
            Kind::UsBankAccount => json!({
                "type": "us_bank_account",
                "us_bank_account": {
                    "account_holder_type": "individual", "account_type": "checking",
                    "bank_name": "STRIPE TEST BANK", "last4": "6789", "routing_number": "110000000",
                },
            }),
        }
    }
}
