//! The protocol of feeds and sockets, against a real database and sockets that remember.

mod catch_up;
mod fan_out;
mod feeds;
mod hello;
mod sockets;
