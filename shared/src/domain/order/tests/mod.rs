//! Tests of the whole of `order`, by what they show.

pub(in crate::domain) mod fixture;
mod history;
mod money;
mod moves;
mod table;
mod walk;
