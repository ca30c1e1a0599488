//! The product through its front door: real function processes, a real database, nothing of ours called but over the network.
//!
//! One local cloud serves the whole run; each test makes its own users, services and orders, and so has its own fresh data. Tests that need a
//! cloud of their own (to stop it, or to give it other limits) start one with [`support::Cloud::start`].

mod accounts;
mod catalogue;
mod main_job;
mod orders;
mod support;
mod wiring;
