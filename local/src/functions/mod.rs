//! AWS Lambda on one machine: every function runs in processes of its own, which get events through
//! the Runtime API.
//!
//! [`Functions`] runs the project's binaries, [`remote::RemoteFunctions`] sends invocations to an
//! external Invoke API instead (`--functions URL`), and [`invoke_api`] serves that API for this
//! cloud. All of them use the trait [`crate::invoke::Invoke`].
//!
//! As on AWS: one invocation at a time per instance, `Timeout` and `MemorySize`, the init
//! phase of 10 s, the limits and error objects, `ReservedConcurrentExecutions` (which throttles at
//! once). Different on purpose: idle instances are not frozen, and instead of the account's
//! concurrency there is a limit on processes, for which invocations queue.

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
    /// Takes charge of these functions; no process is started before it is needed. Needs a Tokio
    /// runtime.
    pub fn new(
        functions: impl IntoIterator<Item = (Function, Launch)>,
        settings: Settings,
        log: Log,
    ) -> Self {
        Self { pool: pool::Pool::new(functions, settings, log) }
    }

    /// Starts an instance of `function` unless one is idle, so that a crash at init shows before the
    /// first call.
    ///
    /// # Errors
    /// `NotFound` for an unknown function, `Throttled` when no process is free in time, and
    /// `Unavailable` when the process does not start or the cloud is stopping.
    pub async fn warm(&self, function: &str) -> Result<(), InvokeError> {
        self.pool.clone().warm(function).await
    }

    /// Replaces all processes: later invocations run in new ones, which start the current program.
    /// Invocations in progress finish where they began.
    pub async fn replace(&self) {
        self.pool.replace().await;
    }

    /// Ends every process, also during an invocation, and returns when none is left. Later
    /// invocations are refused.
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
