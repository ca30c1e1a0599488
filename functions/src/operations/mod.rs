//! Functions that an operator invokes by hand: the sample data and the first administrator.

pub mod bootstrap_admin;
pub mod seed;
