//! Payments. [`cashier`] is the one road from Stripe's word to an order and from an order to Stripe; webhook events, confirmations, cancellations
//! and the reconciler all take it.

pub mod apply;
pub mod cancel;
mod cashier;
pub mod confirm;
pub mod create;
pub mod get;
pub mod reconcile;

use shared::auth::Verifier;
use shared::config::ConfigError;
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
}

impl FromEnv for Paying {
    fn from_env() -> Result<Self, ConfigError> {
        Ok(Self { cashier: Cashier::from_env()?, verifier: Verifier::from_env()? })
    }

    async fn warm(&self) {
        self.cashier.warm().await;
    }
}
