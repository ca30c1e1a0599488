//! Starts a Lambda: one thread, one context, one handler.

use std::process::ExitCode;

use super::context::FromEnv;

/// Builds the context and runs `serve` with it on a single-threaded runtime. A sandbox handles one
/// request at a time, so more threads would only cost memory and start-up time.
///
/// `http` and `events` box the handler's future. Nested in the runtime's own futures, its type
/// would exceed the compiler's recursion limit, which only shows when a single binary is built.
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
            // It lives as long as the sandbox, so handlers can borrow it.
            Ok(context) => Box::leak(Box::new(context)),
            Err(error) => return failed(&error),
        };
        if let Err(error) = context.warm().await {
            return failed(&error);
        }
        match serve(context).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => failed(&*error),
        }
    })
}

fn failed(error: &dyn std::error::Error) -> ExitCode {
    tracing::error!(error = %error, "the function failed to start");
    ExitCode::FAILURE
}
