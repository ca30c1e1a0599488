//! Payments through Stripe, behind [`StripeApi`], a trait that tests replace.
//!
//! A webhook event is never trusted: it only tells which payment to look up ([`webhook_event`]).
//! What Stripe returns for it ([`Payment`]) becomes the facts that move an order. Applying them is
//! idempotent and independent of the order in which events arrive.

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
