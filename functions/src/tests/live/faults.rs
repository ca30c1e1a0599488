//! A process that dies, or a network that breaks, at the k-th step.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use aws_sdk_dynamodb::config::interceptors::{
    BeforeDeserializationInterceptorContextMut, BeforeTransmitInterceptorContextMut,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use tokio::sync::Notify;

/// What happens at the step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The process dies before its k-th write or frame: after all it did until then, whatever it
    /// has read.
    Dies,
    /// The k-th request to the database is done, and the process is told that it failed.
    AnswerLost,
}

/// The steps of one process: requests to the database and frames to sockets.
#[derive(Debug, Clone, Default)]
pub(super) struct Faults(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    death: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// Steps count only while the process runs; the test's own do not.
    running: bool,
    plan: Option<(usize, Fault)>,
    dead: bool,
    changes: usize,
    answers: usize,
}

/// The process is dead, or is told that its step failed.
#[derive(Debug)]
pub(super) struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broken for the test")
    }
}

impl std::error::Error for Broken {}

impl Faults {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap()
    }

    /// Plans a fault for the k-th step from now.
    pub(super) fn plan(&self, step: usize, fault: Fault) {
        *self.state() = State { plan: Some((step, fault)), ..State::default() };
    }

    /// Plans nothing; whether the fault that was planned has happened.
    pub(super) fn met(&self) -> bool {
        let met = self.state().plan.is_none();
        *self.state() = State::default();
        met
    }

    /// Waits for the process's death.
    pub(super) async fn death(&self) {
        self.0.death.notified().await;
    }

    /// A process starts.
    pub(super) fn start(&self) {
        self.state().running = true;
    }

    /// It has ended, however.
    pub(super) fn stop(&self) {
        let mut state = self.state();
        (state.running, state.dead) = (false, false);
    }

    /// Before a step; one that changes something may be the last.
    pub(super) fn begin(&self, changes: bool) -> Result<(), Broken> {
        let mut state = self.state();
        if !state.running {
            return Ok(());
        }
        state.changes += usize::from(changes);
        if changes && state.plan == Some((state.changes, Fault::Dies)) {
            (state.plan, state.dead) = (None, true);
            self.0.death.notify_one();
        }
        if state.dead { Err(Broken) } else { Ok(()) }
    }

    /// After a request.
    fn end(&self) -> Result<(), Broken> {
        let mut state = self.state();
        if !state.running {
            return Ok(());
        }
        state.answers += 1;
        let lost = state.plan == Some((state.answers, Fault::AnswerLost));
        if lost {
            state.plan = None;
        }
        if lost || state.dead { Err(Broken) } else { Ok(()) }
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
