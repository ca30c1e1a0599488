//! Starts a Lambda: one thread, one context, one handler.

use std::process::ExitCode;
use std::time::Instant;

use super::context::FromEnv;

/// Builds the context and runs `serve` with it on a single-threaded runtime. A sandbox handles one
/// request at a time, so more threads would only cost memory and start-up time.
///
/// `http` and `events` box the handler's future. Otherwise its type, nested in the runtime's own
/// futures, would exceed the compiler's recursion limit. That error only appears when a single
/// binary is built.
pub(crate) fn run<C: FromEnv>(
    serve: impl AsyncFnOnce(&'static C) -> Result<(), lambda_runtime::Error>,
) -> ExitCode {
    shared::telemetry::init();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return start_failed(&error),
    };
    if let Err(error) = shared::metrics::init() {
        return start_failed(&error);
    }
    runtime.block_on(async {
        let context: &'static C = match C::from_env() {
            // It lives as long as the sandbox, so handlers can borrow it.
            Ok(context) => Box::leak(Box::new(context)),
            Err(error) => return start_failed(&error),
        };
        if let Err(error) = context.warm().await {
            return start_failed(&error);
        }
        match serve(context).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => start_failed(&*error),
        }
    })
}

fn start_failed(error: &dyn std::error::Error) -> ExitCode {
    tracing::error!(error = %error, "the function failed to start");
    ExitCode::FAILURE
}

/// The milliseconds since `start`, for the log.
pub(crate) fn milliseconds_since(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX)
}
