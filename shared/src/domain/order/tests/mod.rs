//! Tests of orders, grouped by subject.

pub(crate) mod fixture;
mod history;
mod payments;
mod random_walk;
mod refunds;
mod table;
mod transitions;
