//! Payments through Stripe, behind [`StripeApi`], a trait that tests replace.
//!
//! The content of a webhook event is never trusted: the event only tells which payment to look up
//! at Stripe ([`webhook_event`]). What Stripe then returns ([`Payment`]) is translated into facts,
//! which change the order. Applying facts twice, or in another sequence, has the same result.

mod api;
mod intent;
mod payment;
pub mod signature;
mod stripe;
pub mod webhook_event;

pub use api::StripeApi;
pub use intent::{Charge, Intent, IntentStatus};
pub use payment::Payment;
pub use stripe::Stripe;
