//! Parameters that several endpoints of payment intents share.

use crate::error::Error;
use crate::objects::payment_intent::PaymentIntent;
use crate::params::Params;

/// Parameters of features that the stand-in lacks: Connect, customers, saved cards, shipping.
pub(super) const UNSUPPORTED: &[&str] = &[
    "allowed_payment_method_types",
    "amount_to_confirm",
    "amount_details",
    "application_fee_amount",
    "confirmation_token",
    "customer",
    "customer_account",
    "excluded_payment_method_types",
    "hooks",
    "managed_payments",
    "mandate",
    "on_behalf_of",
    "payment_details",
    "payment_method_configuration",
    "payment_method_options",
    "radar_options",
    "setup_future_usage",
    "shipping",
    "transfer_data",
    "transfer_group",
    "capture_method_options",
];

/// The texts of an intent, which `create` and `update` can set.
pub(super) struct Texts {
    description: Option<String>,
    receipt_email: Option<String>,
    statement_descriptor: Option<String>,
    statement_descriptor_suffix: Option<String>,
}

impl Texts {
    /// Takes the texts.
    ///
    /// # Errors
    /// 400 when one of them is empty or not a string.
    pub(super) fn take(params: &mut Params) -> Result<Self, Error> {
        Ok(Self {
            description: params.text("description")?,
            receipt_email: params.text("receipt_email")?,
            statement_descriptor: params.text("statement_descriptor")?,
            statement_descriptor_suffix: params.text("statement_descriptor_suffix")?,
        })
    }

    /// Sets the texts that were sent.
    pub(super) fn apply(self, intent: &mut PaymentIntent) {
        for (field, value) in [
            (&mut intent.description, self.description),
            (&mut intent.receipt_email, self.receipt_email),
            (&mut intent.statement_descriptor, self.statement_descriptor),
            (&mut intent.statement_descriptor_suffix, self.statement_descriptor_suffix),
        ] {
            if value.is_some() {
                *field = value;
            }
        }
    }
}

/// The parameters of a confirmation, which is a call of `confirm`, or of `create` with
/// `confirm=true`.
pub(super) struct Confirmation {
    pub(super) return_url: Option<String>,
    /// Whether the customer is present and can authenticate.
    pub(super) on_session: bool,
}

impl Confirmation {
    /// Takes the parameters of a confirmation.
    ///
    /// # Errors
    /// 400 when one of them is invalid.
    pub(super) fn take(params: &mut Params) -> Result<Self, Error> {
        let off_session = params.boolean("off_session")?.unwrap_or(false);
        let no_action = params.boolean("error_on_requires_action")?.unwrap_or(false);
        // With this, Stripe's browser library says that it can show a bank's page.
        params.boolean("use_stripe_sdk")?;
        // The mandate of a bank debit, which the stand-in doesn't check.
        params.branch("mandate_data")?;
        Ok(Self { return_url: params.text("return_url")?, on_session: !off_session && !no_action })
    }
}
