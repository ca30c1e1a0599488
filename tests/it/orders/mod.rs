//! Orders: every transition, who may make it, and what others see of it.

mod accept;
mod actions;
mod bodies;
mod cancel;
mod create;
mod deliver;
mod events;
mod get;
mod limits;
mod open;
mod races;
mod reassign;
mod timers;

use serde_json::Value;

fn actions(order: &Value) -> Vec<String> {
    let names = order["actions"].as_array().expect("actions").iter();
    names.map(|name| name.as_str().expect("a name").replace('_', "-")).collect()
}
