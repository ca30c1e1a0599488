//! The common crate: domain rules, store, auth, payments and live feeds. It knows nothing of Lambda
//! or HTTP.
//!
//! Arrows run one way: `store`, `auth`, `payments` and `live` know `domain`; `domain` knows
//! nothing.

pub mod auth;
mod aws;
pub mod config;
pub mod domain;
pub mod error;
pub mod live;
pub mod payments;
mod retry;
pub mod store;
pub mod telemetry;
