//! Payments. Only [`service`] applies what Stripe reports to an order, and does at Stripe what an
//! order needs. Webhook events, confirmations, cancellations and the reconciler all go through it.

pub mod apply;
pub mod cancel;
pub mod confirm;
pub mod create;
pub mod get;
pub mod reconcile;
mod service;

use shared::auth::Verifier;
use shared::config::{ConfigError, required};
use shared::payments::Stripe;

pub use service::{PaymentService, SyncOutcome};

use crate::runtime::context::{FromEnv, context, parts};

impl FromEnv for PaymentService<Stripe> {
    fn from_env() -> Result<Self, ConfigError> {
        Ok(Self {
            store: FromEnv::from_env()?,
            stripe: FromEnv::from_env()?,
            timers: FromEnv::from_env()?,
        })
    }

    async fn warm(&self) -> Result<(), ConfigError> {
        let opened = async {
            self.store.warm().await;
            Ok(())
        };
        futures::try_join!(opened, self.stripe.load()).map(|_| ())
    }
}

context! {
    /// For confirming and canceling payments.
    PaymentChanges {
        /// The database and Stripe.
        payments: PaymentService<Stripe>,
        /// Verifies access tokens.
        verifier: Verifier,
    }

    /// For starting payments.
    Checkout {
        /// The database and Stripe.
        payments: PaymentService<Stripe>,
        /// Verifies access tokens.
        verifier: Verifier,
        /// The key that a browser calls Stripe with.
        publishable_key: PublishableKey,
    }
}

/// `STRIPE_PUBLISHABLE_KEY`: the key that a browser calls Stripe with.
pub struct PublishableKey(pub String);

parts! {
    PublishableKey: required("STRIPE_PUBLISHABLE_KEY").map(Self);
}
