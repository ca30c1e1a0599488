//! Functions that an operator invokes.

mod bootstrap_admin;
mod rolling;
mod seed;
