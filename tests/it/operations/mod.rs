//! What operators work with: the functions that they invoke, and what tells them that something is
//! wrong.

mod alarms;
mod bootstrap_admin;
mod dashboard;
mod failures;
mod log;
mod metrics;
mod rolling;
mod seed;
