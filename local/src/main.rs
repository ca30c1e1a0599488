//! `cargo local`: the cloud on one machine.
#![allow(dead_code, unreachable_pub, reason = "rooms are being furnished")]

mod dynamodb;
mod iam;
mod invoke;
mod log;
#[path = "template/model.rs"]
mod model;
mod schedules;
mod streams;
#[cfg(test)]
mod testing;

fn main() {}
