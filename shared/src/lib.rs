//! The common crate: domain rules, store, authentication, payments and live feeds. It knows nothing
//! of Lambda or HTTP.
//!
//! Dependencies go one way: `store`, `auth`, `payments` and `live` use `domain`, and `domain` uses
//! none of them.

#![warn(clippy::missing_errors_doc)]

pub mod auth;
mod aws;
pub mod config;
pub mod domain;
pub mod error;
pub mod live;
pub mod metrics;
pub mod payments;
mod retry;
pub mod secrets;
pub mod store;
pub mod telemetry;
