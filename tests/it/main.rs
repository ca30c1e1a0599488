//! The product through its front door: real function processes, a real database, nothing of ours
//! called but over the network.
//!
//! One local cloud serves the whole run; each test makes its own users, services and orders, and so
//! has its own fresh data. Tests that need a cloud of their own (to stop it, or to give it other
//! limits) start one with [`support::Cloud::start`].

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]
#![expect(unreachable_pub, reason = "`pub` says what the tests are offered")]

mod accounts;
mod audience;
mod bootstrap;
mod browser;
mod canary;
mod catalogue;
mod conventions;
mod live;
mod local;
mod local_reload;
mod main_job;
mod moves;
mod openapi;
mod orders;
mod payments;
mod races;
mod refunds;
mod round_trips;
mod sessions;
mod soak;
mod sockets;
mod support;
mod throttle;
mod timers;
mod tokens;
mod users;
mod webhooks;
mod wiring;
