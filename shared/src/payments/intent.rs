//! The parts of Stripe's payment intent that we use
//! (<https://docs.stripe.com/api/payment_intents/object>).

use crate::config::Secret;
use crate::domain::ids::{ChargeId, PaymentIntentId};
use crate::domain::money::Money;

/// A payment intent.
#[derive(Clone)]
pub struct Intent {
    /// The intent's id.
    pub id: PaymentIntentId,
    /// The intent's status.
    pub status: IntentStatus,
    /// The amount to charge, or `None` if it is in a currency that we don't support.
    pub amount: Option<Money>,
    /// The amount received, in the intent's currency.
    pub amount_received: i64,
    /// The intent's `metadata.order_id`. It is not parsed, because anyone with the account's key
    /// can put anything there.
    pub order_id: Option<String>,
    /// The secret with which a browser pays the intent. Only the order's client may see it.
    pub client_secret: Option<Secret>,
    /// Whether the last attempt to pay was declined (`last_payment_error`).
    pub declined: bool,
    /// The intent's latest charge.
    pub charge: Option<Charge>,
}

/// The charge of an intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// The charge's id.
    pub id: ChargeId,
    /// Stripe's fee as a positive amount in the account's currency, or `None` until Stripe has
    /// created the balance transaction.
    pub fee: Option<Money>,
    /// The amount that was refunded or is being refunded, in the intent's currency.
    pub amount_refunded: i64,
    /// Whether the bank is disputing the charge or has ever disputed it.
    pub disputed: bool,
}

/// The status of an intent (<https://docs.stripe.com/payments/paymentintents/lifecycle>).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IntentStatus {
    /// Waits for a card: at first, and again after a decline.
    RequiresPaymentMethod,
    /// Waits to be confirmed.
    RequiresConfirmation,
    /// Waits for the client, for example for 3-D Secure.
    RequiresAction,
    /// Waits for the bank.
    Processing,
    /// Waits to be captured. Ours are captured automatically, so they never have this status.
    RequiresCapture,
    /// Paid.
    Succeeded,
    /// Can't be paid anymore.
    Canceled,
    /// A status that Stripe added later.
    Other(String),
}

impl IntentStatus {
    /// Returns Stripe's name for the status.
    pub fn as_str(&self) -> &str {
        match self {
            Self::RequiresPaymentMethod => "requires_payment_method",
            Self::RequiresConfirmation => "requires_confirmation",
            Self::RequiresAction => "requires_action",
            Self::Processing => "processing",
            Self::RequiresCapture => "requires_capture",
            Self::Succeeded => "succeeded",
            Self::Canceled => "canceled",
            Self::Other(name) => name,
        }
    }
}
