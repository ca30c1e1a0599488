//! Tests feeds and sockets with a real database and sockets that record their frames.

mod catch_up;
mod fan_out;
mod feeds;
mod hello;
mod sockets;
