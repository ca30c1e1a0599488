//! Makes a process die, or lose a response, at the k-th step.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use aws_sdk_dynamodb::config::interceptors::{
    BeforeDeserializationInterceptorContextMut, BeforeTransmitInterceptorContextMut,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use futures::FutureExt;
use tokio::sync::Notify;

/// What happens at the k-th step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The process dies before its k-th write or frame. Everything before that took effect.
    ProcessDies,
    /// The k-th request to the database (a read counts, too) takes effect, but the process gets an
    /// error.
    ResponseLost,
}

/// Injects a planned fault into a process by counting its steps: requests to the database and
/// frames to sockets.
#[derive(Debug, Clone, Default)]
pub(super) struct Faults(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    death: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// Whether the process runs. Only its steps count, not those of the test itself.
    running: bool,
    plan: Option<(usize, Fault)>,
    dead: bool,
    writes: usize,
    responses: usize,
}

/// The error of a dead process, or of a step that took effect but reported a failure.
#[derive(Debug)]
pub(super) struct InjectedFailure;

impl fmt::Display for InjectedFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broken for the test")
    }
}

impl std::error::Error for InjectedFailure {}

impl Faults {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap()
    }

    /// Plans a fault for the k-th step from now.
    pub(super) fn plan(&self, step: usize, fault: Fault) {
        *self.state() = State { plan: Some((step, fault)), ..State::default() };
    }

    /// Removes the planned fault. Returns whether it happened.
    pub(super) fn take_outcome(&self) -> bool {
        let happened = self.state().plan.is_none();
        *self.state() = State::default();
        happened
    }

    /// Waits until the process dies.
    pub(super) async fn death(&self) {
        self.0.death.notified().await;
    }

    /// Starts a process.
    pub(super) fn start(&self) {
        self.state().running = true;
    }

    /// Ends the process.
    pub(super) fn stop(&self) {
        let mut state = self.state();
        (state.running, state.dead) = (false, false);
        // A process that returned in the poll in which it died has left a permit, which would kill
        // the next process.
        let _ = self.death().now_or_never();
    }

    /// Called before a step. The process can only die before a step that changes something.
    pub(super) fn begin(&self, is_write: bool) -> Result<(), InjectedFailure> {
        let mut state = self.state();
        if !state.running {
            return Ok(());
        }
        state.writes += usize::from(is_write);
        if is_write && state.plan == Some((state.writes, Fault::ProcessDies)) {
            (state.plan, state.dead) = (None, true);
            self.0.death.notify_one();
        }
        if state.dead { Err(InjectedFailure) } else { Ok(()) }
    }

    /// Called after a request.
    fn end(&self) -> Result<(), InjectedFailure> {
        let mut state = self.state();
        if !state.running {
            return Ok(());
        }
        state.responses += 1;
        let lost = state.plan == Some((state.responses, Fault::ResponseLost));
        if lost {
            state.plan = None;
        }
        if lost || state.dead { Err(InjectedFailure) } else { Ok(()) }
    }
}

impl Intercept for Faults {
    fn name(&self) -> &'static str {
        "Faults"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let operation = context.request().headers().get("x-amz-target").unwrap_or_default();
        Ok(self.begin(
            ["PutItem", "UpdateItem", "DeleteItem", "WriteItem"]
                .iter()
                .any(|write| operation.contains(write)),
        )?)
    }

    fn modify_before_deserialization(
        &self,
        _: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        Ok(self.end()?)
    }
}
