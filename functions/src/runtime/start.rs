//! How every Lambda of this package starts: one thread, one context, one handler.

use std::process::ExitCode;

use super::context::FromEnv;

/// Builds the context and runs `serve` with it on a single-threaded runtime: a sandbox has one
/// request at a time, so that more threads would only cost memory and start-up.
///
/// The handler's future is boxed wherever it is called (`http`, `events`): nested in those of the
/// runtime it would be a type deeper than the compiler follows, which shows only when the single
/// binaries are built.
pub(crate) fn run<C: FromEnv>(
    serve: impl AsyncFnOnce(&'static C) -> Result<(), lambda_runtime::Error>,
) -> ExitCode {
    shared::telemetry::init();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error),
    };
    runtime.block_on(async {
        let context: &'static C = match C::from_env() {
            // Lives as long as the sandbox, so that handlers borrow it without counting references.
            Ok(context) => Box::leak(Box::new(context)),
            Err(error) => return failed(&error),
        };
        context.warm().await;
        match serve(context).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => failed(&*error),
        }
    })
}

fn failed(error: &dyn std::error::Error) -> ExitCode {
    tracing::error!(error = %error, "the function can't start");
    ExitCode::FAILURE
}
