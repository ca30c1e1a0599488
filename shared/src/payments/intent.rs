//! A payment intent as far as it concerns us
//! (<https://docs.stripe.com/api/payment_intents/object>).

use crate::config::Secret;
use crate::domain::ids::{ChargeId, PaymentIntentId};
use crate::domain::money::Money;

/// A payment intent.
#[derive(Clone)]
pub struct Intent {
    /// Which.
    pub id: PaymentIntentId,
    /// How far it is.
    pub status: IntentStatus,
    /// What it charges; `None` in a currency that no price here is in.
    pub amount: Option<Money>,
    /// What was received, in the intent's currency.
    pub amount_received: i64,
    /// Its `metadata.order_id`, as text: anybody with the account's key can write anything there.
    pub order_id: Option<String>,
    /// Lets a browser pay it. Only for the order's client.
    pub client_secret: Option<Secret>,
    /// Whether its last attempt was declined (`last_payment_error`).
    pub declined: bool,
    /// Its latest charge.
    pub charge: Option<Charge>,
}

/// The charge of an intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// Which.
    pub id: ChargeId,
    /// What Stripe keeps, positive, in the account's currency; `None` while the balance transaction
    /// is not known.
    pub fee: Option<Money>,
    /// What went back of it, or is on its way, in the intent's currency.
    pub amount_refunded: i64,
    /// Whether a bank disputes it, or did.
    pub disputed: bool,
}

/// How far an intent is (<https://docs.stripe.com/payments/paymentintents/lifecycle>).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IntentStatus {
    /// Waits for a card; also after a decline.
    RequiresPaymentMethod,
    /// Waits to be confirmed.
    RequiresConfirmation,
    /// Waits for the client: 3-D Secure and the like.
    RequiresAction,
    /// Waits for the bank.
    Processing,
    /// Waits to be captured. Ours are captured at once, so none of ours is ever here.
    RequiresCapture,
    /// Paid.
    Succeeded,
    /// Can't be paid any more.
    Canceled,
    /// One that Stripe added since this was written.
    Other(String),
}

impl IntentStatus {
    /// Stripe's name for it.
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
