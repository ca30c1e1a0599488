//! `cargo local`: the cloud on one machine.
#![allow(dead_code, unreachable_pub, reason = "rooms are being furnished")]

mod environment;
mod functions;
mod http_api;
mod invoke;
mod log;
mod template;
mod websocket;

use template::model;

fn main() {}
