//! Every endpoint of the marketplace. `<area>/<verb>.rs` is one endpoint: its request, its rules'
//! call, its reply. `bin/<area>-<verb>.rs` is its Lambda. [`http`], [`events`] and [`context`] are
//! what all of them share; [`registry`] is the list of them.

pub mod auth;
pub mod bootstrap_admin;
pub mod context;
mod deadline;
pub mod docs;
pub mod events;
pub mod http;
#[cfg(test)]
mod interleavings;
pub mod live;
pub mod messages;
pub mod openapi;
pub mod orders;
pub mod payments;
pub mod registry;
mod run;
mod runtime;
pub mod seed;
pub mod services;
pub mod site;
#[cfg(test)]
mod testing;
pub mod users;
pub mod webhooks;
