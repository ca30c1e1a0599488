//! The catalogue.

pub mod categories;
pub mod create;
pub mod delete;
pub mod get;
pub mod list;
pub mod update;
mod view;

pub use view::ServiceView;
