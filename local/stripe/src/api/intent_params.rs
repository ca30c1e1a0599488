//! Parameters that several calls of payment intents have in common.

use crate::error::Error;
use crate::objects::payment_intent::PaymentIntent;
use crate::params::Params;

/// Parameters of Stripe's that belong to what the stand-in leaves out: Connect, customers, saved
/// cards, shipping.
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

/// What may be set when an intent is made, and changed later.
pub(super) struct Described {
    description: Option<String>,
    receipt_email: Option<String>,
    statement_descriptor: Option<String>,
    statement_descriptor_suffix: Option<String>,
}

impl Described {
    /// Takes them out of the parameters.
    pub(super) fn take(params: &mut Params) -> Result<Self, Error> {
        Ok(Self {
            description: params.text("description")?,
            receipt_email: params.text("receipt_email")?,
            statement_descriptor: params.text("statement_descriptor")?,
            statement_descriptor_suffix: params.text("statement_descriptor_suffix")?,
        })
    }

    /// Sets what is given.
    pub(super) fn apply(self, intent: &mut PaymentIntent) {
        for (field, value) in [
            (&mut intent.description, self.description),
            (&mut intent.receipt_email, self.receipt_email),
            (&mut intent.statement_descriptor, self.statement_descriptor),
            (&mut intent.statement_descriptor_suffix, self.statement_descriptor_suffix),
        ] {
            *field = value.or_else(|| field.take());
        }
    }
}

/// How a confirmation is made: part of confirm, and of create with `confirm=true`.
pub(super) struct Confirmation {
    pub(super) return_url: Option<String>,
    /// Whether the customer is there to authenticate.
    pub(super) present: bool,
}

impl Confirmation {
    /// Takes them out of the parameters.
    pub(super) fn take(params: &mut Params) -> Result<Self, Error> {
        let off_session = params.boolean("off_session")?.unwrap_or(false);
        let no_action = params.boolean("error_on_requires_action")?.unwrap_or(false);
        // A browser's way to say that it can show a bank's page.
        params.boolean("use_stripe_sdk")?;
        // A debit's mandate: taken for granted here, where there is no bank.
        params.branch("mandate_data")?;
        Ok(Self { return_url: params.text("return_url")?, present: !off_session && !no_action })
    }
}
