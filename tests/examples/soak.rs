//! Opens many sockets on a local cloud, places orders and kills sockets at random: `cargo run -p
//! tests --example soak -- --sockets 2000 --seconds 120`. Prints latencies, and fails when any
//! socket does not end with exactly its feeds. docs/benchmarks.md has results.

#![expect(
    dead_code,
    unused_imports,
    reason = "this program needs only a part of the tests' modules"
)]
#![allow(clippy::unwrap_used, reason = "a run that can't continue fails")]
#![expect(unreachable_pub, reason = "`pub` marks what the support modules offer to tests")]

#[path = "../it/soak/mod.rs"]
mod soak;
#[path = "../it/support/mod.rs"]
mod support;

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;

/// Opens sockets on a local cloud, places orders, kills sockets at random, and checks that every
/// socket ends with exactly its feeds.
#[derive(Debug, Parser)]
#[command(name = "soak")]
struct Arguments {
    /// Sockets open at once.
    #[arg(long, default_value_t = 2000)]
    sockets: usize,
    /// How long orders are placed and sockets killed.
    #[arg(long, default_value_t = 120)]
    seconds: u64,
    /// Orders placed per second.
    #[arg(long, default_value_t = 1.0)]
    orders: f64,
    /// Sockets killed per second.
    #[arg(long, default_value_t = 5.0)]
    kills: f64,
    /// Pushes that hang or are throttled, per second.
    #[arg(long, default_value_t = 0.0)]
    faults: f64,
    /// Do not kill function processes. Otherwise one is killed every five seconds.
    #[arg(long)]
    spare_functions: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let needed = 2 * arguments.sockets as u64 + 500;
    match rlimit::increase_nofile_limit(needed) {
        Ok(limit) if limit >= needed => {}
        limit => {
            let limit = limit.map_or_else(|error| error.to_string(), |limit| limit.to_string());
            eprintln!(
                "this needs {needed} open files, but the limit is {limit}: raise it \
                 (ulimit -n {needed}) or use fewer --sockets"
            );
            return ExitCode::FAILURE;
        }
    }
    let plan = soak::Plan {
        sockets: arguments.sockets,
        seconds: arguments.seconds,
        orders: arguments.orders,
        kills: arguments.kills,
        faults: arguments.faults,
        kill_functions: !arguments.spare_functions,
    };
    let runtime = tokio::runtime::Runtime::new().expect("threads to run on");
    let cloud = Arc::new(support::Cloud::start("soak", &["--ephemeral"]));
    match runtime.block_on(soak::run(&cloud, &plan)) {
        Ok(report) => {
            println!("{report}");
            if report.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("the run did not finish: {error}");
            ExitCode::FAILURE
        }
    }
}
