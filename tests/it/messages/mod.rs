//! Messages between the client and the worker of an order.

mod send;
