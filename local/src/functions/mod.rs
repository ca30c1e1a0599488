//! AWS Lambda on one machine: each function runs in its own processes, which get their events
//! through the Runtime API.
//!
//! Two types implement [`crate::invoke::Invoke`]: [`Functions`] runs the project's binaries, and
//! [`remote::RemoteFunctions`] sends invocations to an external Invoke API (`--functions URL`).
//! [`invoke_api`] serves the Invoke API of this cloud.
//!
//! As on AWS, an instance handles one invocation at a time; `Timeout`, `MemorySize`, the init phase
//! of 10 s, payload limits and error objects are those of Lambda; and
//! `ReservedConcurrentExecutions` throttles without a queue. Two differences are deliberate: idle
//! instances are not frozen, and instead of the account's concurrency limit there is a limit on
//! processes, for which invocations queue.

mod exit;
mod group;
mod idle;
mod instance;
pub mod invoke_api;
mod memory;
mod output;
mod pool;
pub mod remote;
mod runtime_api;
mod settings;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;

use crate::invoke::{Invocation, Invoke, InvokeError};
use crate::log::Log;
use crate::model::Function;
pub(crate) use runtime_api::trace_root;
pub use settings::{Launch, Settings};

/// The project's functions, run as local processes. Clones share them.
#[derive(Debug, Clone)]
pub struct Functions {
    pool: Arc<pool::Pool>,
}

impl Functions {
    /// Manages these functions. Processes start on demand. Must be called in a Tokio runtime.
    pub fn new(
        functions: impl IntoIterator<Item = (Function, Launch)>,
        settings: Settings,
        log: Log,
    ) -> Self {
        Self { pool: pool::Pool::new(functions, settings, log) }
    }

    /// Starts an instance of `function` unless one is idle, so that a crash at init is noticed
    /// before the first call.
    ///
    /// # Errors
    /// `NotFound` when there is no such function, `Throttled` when no instance is free, and
    /// `Unavailable` when the process does not start or the cloud is stopping.
    pub async fn warm(&self, function: &str) -> Result<(), InvokeError> {
        self.pool.clone().warm(function).await
    }

    /// Makes later invocations use new processes, which run the current program files. Invocations
    /// in progress finish in their old processes.
    pub async fn replace(&self) {
        self.pool.replace().await;
    }

    /// Kills every process, busy ones included, and returns when none is left. Later invocations
    /// are rejected.
    pub async fn stop(&self) {
        self.pool.stop().await;
    }
}

impl Invoke for Functions {
    fn invoke<'a>(
        &'a self,
        function: &'a str,
        payload: Bytes,
    ) -> BoxFuture<'a, Result<Invocation, InvokeError>> {
        self.pool.clone().invoke(function, payload).boxed()
    }
}
