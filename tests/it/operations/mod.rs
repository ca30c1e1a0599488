//! What operators work with: the functions that they invoke, and what tells them that something is
//! wrong.

mod bootstrap_admin;
mod failures;
mod seed;
