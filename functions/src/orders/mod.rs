//! Orders: placing, reading, and moving them through the transition table.

pub mod accept;
pub mod cancel;
pub mod complete;
pub mod create;
pub mod deliver;
mod described;
pub mod dispute;
pub mod events;
pub mod get;
pub mod list;
pub(crate) mod mover;
pub mod open;
pub(crate) mod read;
pub mod reassign;
pub mod release;
pub mod request_revision;
pub mod resolve;
pub mod timers;
mod view;

pub use view::OrderView;
