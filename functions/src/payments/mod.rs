//! Payments. [`cashier`] is the one road from Stripe's word to an order and from an order to Stripe; webhook events, confirmations, cancellations
//! and the reconciler all take it.

pub mod apply;
mod cashier;
pub mod create;

use shared::auth::Verifier;
use shared::config::{ConfigError, required};
use shared::payments::Stripe;
use shared::store::Store;

pub use cashier::{Cashier, Followed};

use crate::context::{FromEnv, timers};

impl FromEnv for Cashier<Stripe> {
    fn from_env() -> Result<Self, ConfigError> {
        Ok(Self { store: Store::from_env()?, stripe: Stripe::from_env()?, timers: timers()? })
    }

    async fn warm(&self) {
        self.store.warm().await;
    }
}

/// For clients who pay.
pub struct Paying {
    /// Store and Stripe.
    pub cashier: Cashier<Stripe>,
    /// Knows access tokens.
    pub verifier: Verifier,
    /// What a browser calls Stripe with.
    pub publishable_key: String,
}

impl FromEnv for Paying {
    fn from_env() -> Result<Self, ConfigError> {
        Ok(Self {
            cashier: Cashier::from_env()?,
            verifier: Verifier::from_env()?,
            publishable_key: required("STRIPE_PUBLISHABLE_KEY")?,
        })
    }

    async fn warm(&self) {
        self.cashier.warm().await;
    }
}
