//! `cargo local`: the cloud on one machine.
#![allow(dead_code, unreachable_pub, reason = "rooms are being furnished")]

mod cargo;
mod cli;
mod data_dir;
mod dynamodb;
mod environment;
mod functions;
mod http_api;
mod iam;
mod invoke;
mod log;
mod signals;
mod stripe;
mod template;
#[cfg(test)]
mod testing;
mod websocket;

use template::model;

fn main() {}
