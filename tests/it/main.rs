//! End-to-end tests of the product: real function processes and a real database, called only
//! over the network.
//!
//! `functions/src/<area>/<verb>.rs` is tested in `<area>/<verb>.rs`. Tests that cross endpoints are
//! named by what they show.
//!
//! Most tests share one local cloud, and create their own users, services and orders in it. Tests
//! that need other settings, or stop their cloud, start one with [`support::Cloud::start`].

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]
#![expect(unreachable_pub, reason = "`pub` marks what the support modules offer to tests")]

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
