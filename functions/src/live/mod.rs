//! Live: tickets, sockets, feeds, and who is told of what.

pub mod broadcast;
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
