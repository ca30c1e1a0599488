//! Runs a project with a SAM template on one machine.
//!
//! From `template.yaml` and the functions' binaries it provides what AWS would: Lambda, an HTTP
//! API, a WebSocket API, DynamoDB with streams, and schedules. If the template uses something that
//! can't be provided faithfully, the error names its place in the template.
//!
//! The program `local` only parses [`Cli`] and calls [`run`].

#![expect(unreachable_pub, reason = "`pub` marks what a module offers to the others")]

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
mod secrets;
mod settings;
mod signals;
mod sources;
mod streams;
mod template;
#[cfg(test)]
mod testing;
mod websocket;

pub use cli::Cli;
use template::model;

/// Runs the local cloud until Ctrl-C, SIGTERM or SIGHUP stops it. Call it inside a Tokio runtime.
///
/// # Errors
/// When the template can't be used, the build fails, a port is taken or a function doesn't start.
/// The message is one sentence that names the file, flag, port or function.
pub async fn run(cli: Cli) -> anyhow::Result<()> {
    let stop = signals::Stop::listen(cli.exit_with_stdin)?;
    cloud::run(cli, stop).await
}
