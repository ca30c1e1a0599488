//! One instance of a function: its process, from start to end. Only its owner calls it.

use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::process::{Child, Command};
use tokio::time::{Instant, interval_at, sleep_until};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::group::Group;
use super::output::Output;
use super::runtime_api::{Event, Report, RuntimeApi};
use super::settings::Launch;
use super::{exit, memory};
use crate::invoke::{FunctionError, Invocation};
use crate::log::Log;
use crate::model::Function;

/// How often a working process is measured against `MemorySize`.
const MEASURE_EVERY: Duration = Duration::from_millis(100);

/// A process and the server it gets its events from. Dropping it kills the process.
#[derive(Debug)]
pub(super) struct Instance {
    pub(super) function: Arc<Function>,
    pub(super) idle_since: Instant,
    /// The pool's generation when the process was started.
    pub(super) generation: u64,
    child: Child,
    api: RuntimeApi,
    output: Output,
    stop: CancellationToken,
    /// Whether it has had an invocation before.
    used: bool,
}

/// The outcome of an invocation, for the instance.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The function replied or reported an error, and its process goes on.
    Answered(Invocation),
    /// The process is gone. The caller gets this error.
    Ended(Invocation),
    /// The process had died while it was idle. Another instance must handle the event.
    NotTaken,
    /// The cloud is stopping, and the process is gone.
    Stopped,
}

/// What can happen while the owner waits for a process.
#[derive(Debug)]
enum Change {
    Report(Report),
    Exited(ExitStatus),
    OutOfMemory,
    Deadline,
    Stopped,
}

impl Instance {
    /// Starts a process and waits until it asks for its first event.
    ///
    /// # Errors
    /// One sentence that names the function and says why it does not run.
    pub(super) async fn start(
        function: Arc<Function>,
        generation: u64,
        launch: &Launch,
        group: &Group,
        init_timeout: Duration,
        stop: CancellationToken,
        log: &Log,
    ) -> Result<Self, String> {
        let name = function.name.clone();
        let api = RuntimeApi::start()
            .await
            .map_err(|e| format!("{name} cannot be started: no free port: {e}"))?;
        let mut command = Command::new(&launch.program);
        command
            .args(&launch.args)
            .env_clear()
            .envs(&launch.env)
            .env("AWS_LAMBDA_RUNTIME_API", api.address.to_string())
            .env("AWS_LAMBDA_LOG_STREAM_NAME", format!("[$LATEST]{}", Uuid::now_v7().simple()))
            .process_group(group.id())
            .kill_on_drop(true);
        Output::pipe(&mut command);
        let program = launch.program.display();
        let mut child =
            command.spawn().map_err(|e| format!("{name} cannot be started: {program}: {e}"))?;
        let output = Output::follow(&mut child, &name, log);
        let idle_since = Instant::now();
        let mut instance =
            Self { function, idle_since, generation, child, api, output, stop, used: false };
        match instance.init(init_timeout).await {
            Ok(()) => Ok(instance),
            Err(reason) => {
                instance.kill().await;
                let last_words = instance.output.last_words().await;
                let separator = if last_words.is_empty() { "" } else { ": " };
                Err(format!("{name} {reason}{separator}{last_words}"))
            }
        }
    }

    async fn init(&mut self, timeout: Duration) -> Result<(), String> {
        match self.change(Instant::now() + timeout).await {
            Change::Report(Report::InitFailure(error)) => {
                Err(format!("failed at init, reporting {}", String::from_utf8_lossy(&error)))
            }
            Change::Report(_) => Ok(()),
            Change::Exited(status) => Err(format!("crashed at init ({})", exit::describe(status))),
            Change::OutOfMemory => Err(format!(
                "held more at init than its MemorySize of {} MB",
                self.function.memory_mb
            )),
            Change::Deadline => {
                Err(format!("was not ready within {} s of its start", timeout.as_secs_f64()))
            }
            Change::Stopped => Err("was starting when the local cloud was stopped".to_owned()),
        }
    }

    /// Has the function handle one event, within its `Timeout`.
    pub(super) async fn invoke(&mut self, event: Event) -> Outcome {
        let request_id = event.request_id.clone();
        let deadline = Instant::now() + event.timeout;
        self.output.belongs_to(&request_id);
        self.api.send(event).await;
        let used = std::mem::replace(&mut self.used, true);
        loop {
            return match self.change(deadline).await {
                Change::Report(Report::Reply(payload)) => {
                    Outcome::Answered(Invocation { payload, error: None })
                }
                Change::Report(Report::Failure(payload)) => Outcome::Answered(unhandled(payload)),
                Change::Report(Report::TooLarge) => {
                    Outcome::Answered(unhandled(exit::reply_too_large()))
                }
                // A runtime whose connection broke asks again.
                Change::Report(Report::Ready | Report::InitFailure(_)) => continue,
                Change::Exited(_) if used && !self.api.is_working() => Outcome::NotTaken,
                Change::Exited(status) => {
                    Outcome::Ended(unhandled(exit::exited(&request_id, status)))
                }
                Change::OutOfMemory => {
                    self.kill().await;
                    Outcome::Ended(unhandled(exit::out_of_memory(&request_id)))
                }
                Change::Deadline => {
                    self.kill().await;
                    let payload = exit::timed_out(&request_id, self.function.timeout);
                    Outcome::Ended(Invocation { payload, error: Some(FunctionError::TimedOut) })
                }
                Change::Stopped => {
                    self.kill().await;
                    Outcome::Stopped
                }
            };
        }
    }

    /// Waits, after a reply, until the function asks for the next event. What the function does until
    /// then belongs to the invocation and its `Timeout`. Returns false when the process ended.
    pub(super) async fn settle(&mut self, deadline: Instant) -> bool {
        match self.change(deadline).await {
            Change::Report(_) => {
                self.idle_since = Instant::now();
                true
            }
            Change::Exited(_) => false,
            Change::OutOfMemory | Change::Deadline | Change::Stopped => {
                self.kill().await;
                false
            }
        }
    }

    /// Whether the process is still there.
    pub(super) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Kills the process, as Lambda ends an environment without extensions: with SIGKILL, and
    /// without notice.
    /// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-shutdown>
    pub(super) async fn kill(&mut self) {
        // Fails only for a process that is gone already.
        drop(self.child.kill().await);
    }

    async fn change(&mut self, deadline: Instant) -> Change {
        let mut measure = interval_at(Instant::now() + MEASURE_EVERY, MEASURE_EVERY);
        loop {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return Change::Stopped,
                // Before the exit: a function that replies and then ends has replied.
                report = self.api.report() => return Change::Report(report),
                status = self.child.wait() => return Change::Exited(status.unwrap_or_default()),
                () = sleep_until(deadline) => return Change::Deadline,
                _ = measure.tick() => if self.is_over_memory() { return Change::OutOfMemory },
            }
        }
    }

    fn is_over_memory(&self) -> bool {
        let held = self.child.id().and_then(memory::held_mb);
        held.is_some_and(|held| held > u64::from(self.function.memory_mb))
    }
}

fn unhandled(payload: Bytes) -> Invocation {
    Invocation { payload, error: Some(FunctionError::Unhandled) }
}
