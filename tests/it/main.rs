//! The product through its front door: real function processes, a real database, nothing of ours
//! called but over the network.
//!
//! One local cloud serves the whole run; each test makes its own users, services and orders, and so
//! has its own fresh data. Tests that need a cloud of their own (to stop it, or to give it other
//! limits) start one with [`support::Cloud::start`].

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]
#![expect(unreachable_pub, reason = "`pub` says what the tests are offered")]

mod architecture;
mod auth;
mod browser;
mod conventions;
mod docs;
mod live;
mod local;
mod main_job;
mod messages;
mod operations;
mod orders;
mod payments;
mod secrets;
mod services;
mod site;
mod soak;
mod support;
mod users;
mod webhooks;
mod wiring;
