//! Orders: placing, reading, and moving them through the transition table.

pub mod accept;
pub mod complete;
pub mod create;
pub mod deliver;
mod described;
pub mod get;
pub mod list;
mod mover;
pub mod open;
pub(crate) mod read;
mod view;

pub use view::OrderView;
