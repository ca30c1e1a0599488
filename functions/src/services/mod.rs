//! The catalogue.

pub mod create;
pub mod get;
pub mod list;
mod view;

pub use view::ServiceView;
