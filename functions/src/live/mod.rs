//! Live: tickets, sockets, feeds, and who is told of what.

mod asked;
pub mod broadcast;
pub mod catch_up;
pub mod connect;
pub mod default;
pub mod disconnect;
mod entry;
pub mod fan_out;
pub mod feed;
pub mod notify;
#[cfg(test)]
mod tests;
pub mod ticket;
