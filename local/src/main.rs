//! `cargo local`: the cloud on one machine.
//!
//! It knows a SAM template and the binaries of its functions, and gives them what AWS would:
//! Lambda, HTTP and WebSocket APIs, DynamoDB with streams, schedules; and a stand-in for Stripe.
//! What it cannot do faithfully it refuses.

#![expect(unreachable_pub, reason = "`pub` says that a room offers something to the others")]

mod cargo;
mod cli;
mod cloud;
mod data_dir;
mod dynamodb;
mod environment;
mod faults;
mod functions;
mod http_api;
mod iam;
mod invoke;
mod log;
mod schedules;
mod signals;
mod streams;
mod template;
#[cfg(test)]
mod testing;
mod websocket;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;
use template::model;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: no threads to run on: {error}");
            return ExitCode::FAILURE;
        }
    };
    let outcome = runtime.block_on(async {
        let stop = signals::Stop::listen(cli.exit_with_stdin)?;
        cloud::run(cli, stop).await
    });
    // Nothing that is still at work is worth waiting for.
    runtime.shutdown_timeout(Duration::from_secs(1));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
