//! A stand-in for Stripe, for development and tests: payment intents, charges, refunds, disputes,
//! events and signed webhooks, with Stripe's shapes, errors, idempotency keys and test payment
//! methods. It moves no money and calls nothing but the webhook endpoint.
//!
//! The README lists the endpoints, the test payment methods, the control API under `/_local/` and
//! the features that are missing. A parameter of a missing feature is a 400 that names it, and a
//! path of one is Stripe's own 404.
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! use stripe_local::{Log, Options, start};
//! use tokio_util::sync::CancellationToken;
//!
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! let webhook_url = Some("http://127.0.0.1:3000/webhooks".to_owned());
//! let options = Options::new(webhook_url, "whsec_local", None);
//! let stop = CancellationToken::new();
//! let running = start(listener, options, Log::stderr(), stop.clone()).await?;
//! // ...
//! stop.cancel();
//! running.await?;
//! # Ok(())
//! # }
//! ```

mod api;
mod clock;
mod control;
mod delivery;
mod dispatch;
mod dispute;
mod error;
mod faults;
mod ids;
mod json;
mod log;
mod lookup;
mod metadata;
mod money;
mod objects;
mod options;
mod outbox;
mod params;
mod payment;
mod refund;
mod server;
mod signature;
mod store;
mod stripe;
#[cfg(test)]
mod tests;
mod transact;
mod transaction;

pub use self::log::Log;
pub use self::options::{API_VERSION, Options, PUBLISHABLE_KEY, SECRET_KEY};
pub use self::server::start;
