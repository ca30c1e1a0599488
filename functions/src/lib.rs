//! Every function of the marketplace. `<area>/<verb>.rs` is one endpoint: its request, its handler,
//! its reply, its entry in the API description. `lambdas/src/bin/<area>-<verb>.rs` is its Lambda.
//!
//! Imports point downwards: [`registry`] lists all functions; below it are the areas, then
//! [`openapi`], [`http`] and [`runtime`]. `tests/it/architecture/` checks this.

#![warn(clippy::missing_errors_doc)]

pub mod auth;
pub mod docs;
pub mod http;
pub mod live;
pub mod messages;
pub mod openapi;
pub mod operations;
pub mod orders;
pub mod payments;
pub mod registry;
pub mod runtime;
pub mod services;
pub mod site;
#[cfg(test)]
mod tests;
pub mod users;
pub mod webhooks;
