//! Payments. [`service`] is the one road from Stripe's word to an order and from an order to
//! Stripe; webhook events, confirmations, cancellations and the reconciler all take it.

pub mod apply;
pub mod cancel;
pub mod confirm;
pub mod create;
pub mod get;
pub mod reconcile;
mod service;

use shared::auth::Verifier;
use shared::config::ConfigError;
use shared::payments::Stripe;

pub use service::{Followed, PaymentService};

use crate::context::{FromEnv, PublishableKey, context};

impl FromEnv for PaymentService<Stripe> {
    fn from_env() -> Result<Self, ConfigError> {
        Ok(Self {
            store: FromEnv::from_env()?,
            stripe: FromEnv::from_env()?,
            timers: FromEnv::from_env()?,
        })
    }

    async fn warm(&self) {
        self.store.warm().await;
    }
}

context! {
    /// For clients who pay.
    Paying {
        /// Store and Stripe.
        payments: PaymentService<Stripe>,
        /// Knows access tokens.
        verifier: Verifier,
    }

    /// For clients who are about to pay.
    Checkout {
        /// Store and Stripe.
        payments: PaymentService<Stripe>,
        /// Knows access tokens.
        verifier: Verifier,
        /// What a browser calls Stripe with.
        publishable_key: PublishableKey,
    }
}
