//! Administrators manage users.

pub mod create;
pub mod delete;
pub mod get;
mod govern;
pub mod list;
pub mod update;
