//! [`Invoke`], through which the HTTP API, the WebSocket API, streams, schedules and the Invoke API
//! run functions.

use bytes::Bytes;
use futures::future::BoxFuture;

/// The outcome of a synchronous invocation that reached the function.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// The function's reply, or Lambda's error object (`{"errorMessage", "errorType", ...}`) when
    /// `error` is set.
    pub payload: Bytes,
    /// Why the function failed, or `None` if it replied. The Invoke API reports every kind as
    /// `X-Amz-Function-Error: Unhandled`.
    pub error: Option<FunctionError>,
}

/// Why a function did not reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FunctionError {
    /// It reported an error, or its process ended during the invocation.
    Unhandled,
    /// It overran its `Timeout` and was killed.
    TimedOut,
}

/// Why an invocation did not reach a function. Names and statuses are those of the Lambda Invoke
/// API.
#[derive(Debug, Clone)]
pub enum InvokeError {
    /// 404 `ResourceNotFoundException`.
    NotFound(String),
    /// 429 `TooManyRequestsException`: the function's or the account's concurrency limit is
    /// reached.
    Throttled(String),
    /// 413 `RequestTooLargeException`: more than 6 MB (1 MB when asynchronous).
    TooLarge(String),
    /// 502: the function could not be started (it crashed at init), or the external Invoke API did
    /// not answer.
    Unavailable(String),
}

impl std::fmt::Display for InvokeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotFound(m) | Self::Throttled(m) | Self::TooLarge(m) | Self::Unavailable(m) => {
                f.write_str(m)
            }
        }
    }
}

impl std::error::Error for InvokeError {}

/// Runs functions: either our own processes ([`crate::functions`]) or an external Invoke API
/// (`--functions URL`).
pub trait Invoke: Send + Sync + 'static {
    /// Invokes `function` (a [`crate::model::Function::name`]) synchronously with a JSON `payload`.
    ///
    /// # Errors
    /// When the invocation does not reach the function; see [`InvokeError`]'s variants. A function
    /// that fails is not an error here, but [`Invocation::error`].
    fn invoke<'a>(
        &'a self,
        function: &'a str,
        payload: Bytes,
    ) -> BoxFuture<'a, Result<Invocation, InvokeError>>;
}
