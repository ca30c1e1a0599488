//! Functions that an operator invokes.

mod bootstrap_admin;
mod log;
mod rolling;
mod seed;
