//! `cargo local`: the cloud on one machine.
#![allow(dead_code, unreachable_pub, reason = "rooms are being furnished")]

mod invoke;
mod log;
#[path = "template/model.rs"]
mod model;
mod stripe;

fn main() {}
