//! Messages between the client and the worker of an order.

mod list;
mod send;
