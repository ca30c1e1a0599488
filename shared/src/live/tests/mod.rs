//! Tests the protocol of feeds and sockets with a real database and recorded sockets.

mod catch_up;
mod fan_out;
mod feeds;
mod hello;
mod sockets;
