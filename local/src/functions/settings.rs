//! The settings for starting functions, and the limits of their processes.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// The largest event or reply of a synchronous invocation: 6 MB and the 100 bytes that Lambda adds.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
pub const MAX_PAYLOAD: usize = 6 * 1024 * 1024 + 100;

/// How a function's process is started.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The binary.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Its whole environment; nothing is inherited. Each instance adds its own
    /// `AWS_LAMBDA_RUNTIME_API` and `AWS_LAMBDA_LOG_STREAM_NAME`.
    pub env: BTreeMap<String, String>,
}

/// Limits of the whole pool.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The largest number of processes at once, for all functions together.
    pub max_instances: usize,
    /// How long an invocation waits for a process before it is throttled. AWS throttles at once,
    /// but only at a thousand instances or more. A laptop reaches its limit sooner, so a short wait
    /// serves callers better.
    pub queue_wait: Duration,
    /// How long a new process may take until it asks for its first event.
    /// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html>
    pub init_timeout: Duration,
    /// How long an instance may be idle before it is killed.
    pub idle_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_instances: 100,
            queue_wait: Duration::from_secs(10),
            init_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(300),
        }
    }
}
