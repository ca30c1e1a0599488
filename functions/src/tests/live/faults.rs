//! Makes a simulated Lambda process die, or lose a response from the database, at a chosen step. A
//! test repeats its scenario with the fault at step 1, 2, 3 and so on.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use aws_sdk_dynamodb::config::interceptors::{
    BeforeDeserializationInterceptorContextMut, BeforeTransmitInterceptorContextMut,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use futures::FutureExt;
use tokio::sync::Notify;

/// What happens at step k.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The process dies before its k-th step that changes something: a write to the database, or a
    /// frame to a socket. Everything before that took effect.
    ProcessDies,
    /// The k-th request to the database, read or write, takes effect, but the process gets an
    /// error.
    ResponseLost,
}

/// Counts the steps of a process (requests to the database and frames to sockets), and injects the
/// planned fault when its step comes.
#[derive(Debug, Clone, Default)]
pub(super) struct Faults(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    death: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// Whether the process runs. Otherwise the test itself makes the requests, which don't count.
    running: bool,
    plan: Option<(usize, Fault)>,
    dead: bool,
    /// How many writes and frames the process has begun.
    writes: usize,
    /// How many requests to the database were answered.
    responses: usize,
}

/// The error that a step returns if the process is dead, or if the step's response was lost.
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

    /// Plans a fault for this step. The next step of the process is step 1.
    pub(super) fn plan(&self, step: usize, fault: Fault) {
        *self.state() = State { plan: Some((step, fault)), ..State::default() };
    }

    /// Ends the plan, and returns whether the planned fault happened.
    pub(super) fn take_outcome(&self) -> bool {
        let happened = self.state().plan.is_none();
        *self.state() = State::default();
        happened
    }

    /// Waits until the process dies.
    pub(super) async fn death(&self) {
        self.0.death.notified().await;
    }

    /// Marks the start of a process, whose steps count until [`Faults::stop`].
    pub(super) fn start(&self) {
        self.state().running = true;
    }

    /// Marks the end of a process that returned or died.
    pub(super) fn stop(&self) {
        let mut state = self.state();
        (state.running, state.dead) = (false, false);
        // If the process returned in the same poll in which it died, nobody has received the
        // notification of its death. Remove it, or the next process would die of it.
        let _ = self.death().now_or_never();
    }

    /// Called before each step. Fails if the process is dead. Before a write or a frame
    /// (`is_write`), the process may die.
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

    /// Called after each response from the database. Fails if this response is lost.
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
        // "WriteItem" is part of BatchWriteItem and of TransactWriteItems.
        let is_write = ["PutItem", "UpdateItem", "DeleteItem", "WriteItem"]
            .iter()
            .any(|write| operation.contains(write));
        Ok(self.begin(is_write)?)
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
