//! Messages between an order's client and its worker.

pub mod list;
pub mod send;
mod view;

pub use view::MessageView;
