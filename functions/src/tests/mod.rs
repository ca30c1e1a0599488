//! Tests that need crate-private items: a real database in this process, and faults at every step.

mod database;
mod interleavings;
mod live;
