//! One instance of a function: its process, from start to end.

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

/// How often a busy process's memory is compared with `MemorySize`.
const MEASURE_EVERY: Duration = Duration::from_millis(100);

/// A process and the server that gives it events. Dropping it kills the process.
#[derive(Debug)]
pub(super) struct Instance {
    pub(super) function: Arc<Function>,
    pub(super) idle_since: Instant,
    /// The pool's generation when the process started. Older programs have lower ones.
    pub(super) generation: u64,
    child: Child,
    api: RuntimeApi,
    output: Output,
    stop: CancellationToken,
    /// Whether it has had an invocation before.
    used: bool,
}

/// The outcome of an invocation, for the instance and for the caller.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The function replied or reported an error. Its process is still running.
    Answered(Invocation),
    /// The process has ended. The caller gets this error.
    Ended(Invocation),
    /// The process had died while idle. Another instance has to handle the event.
    NotTaken,
    /// The cloud is stopping, and the process has been killed.
    Stopped,
}

/// What can happen while the instance waits for its process.
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
    /// When the process does not start or fails at init. The error is one sentence that names the
    /// function and the reason.
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
                let last_lines = instance.output.last_lines().await;
                let separator = if last_lines.is_empty() { "" } else { ": " };
                Err(format!("{name} {reason}{separator}{last_lines}"))
            }
        }
    }

    async fn init(&mut self, timeout: Duration) -> Result<(), String> {
        match self.next_change(Instant::now() + timeout).await {
            Change::Report(Report::InitFailure(error)) => {
                Err(format!("failed at init, reporting {}", String::from_utf8_lossy(&error)))
            }
            Change::Report(_) => Ok(()),
            Change::Exited(status) => Err(format!("crashed at init ({})", exit::describe(status))),
            Change::OutOfMemory => Err(format!(
                "used more memory at init than its MemorySize of {} MB",
                self.function.memory_mb
            )),
            Change::Deadline => {
                Err(format!("was not ready within {} s of its start", timeout.as_secs_f64()))
            }
            Change::Stopped => Err("was starting when the local cloud was stopped".to_owned()),
        }
    }

    /// Lets the function handle one event, and kills it after its `Timeout`.
    pub(super) async fn invoke(&mut self, event: Event) -> Outcome {
        let request_id = event.request_id.clone();
        let deadline = Instant::now() + event.timeout;
        self.output.attribute_to(&request_id);
        self.api.send(event).await;
        let used = std::mem::replace(&mut self.used, true);
        loop {
            return match self.next_change(deadline).await {
                Change::Report(Report::Reply(payload)) => {
                    Outcome::Answered(Invocation { payload, error: None })
                }
                Change::Report(Report::Failure(payload)) => Outcome::Answered(unhandled(payload)),
                Change::Report(Report::TooLarge) => {
                    Outcome::Answered(unhandled(exit::reply_too_large()))
                }
                // A runtime asks again if its connection broke.
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

    /// Waits, after a reply, until the function asks for its next event. What it does until then
    /// counts towards the invocation's `Timeout`. Returns false if the process ended instead.
    pub(super) async fn wait_until_ready(&mut self, deadline: Instant) -> bool {
        match self.next_change(deadline).await {
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

    /// Whether the process is still running.
    pub(super) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Kills the process with SIGKILL and without notice, as Lambda ends an environment without
    /// extensions.
    /// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-shutdown>
    pub(super) async fn kill(&mut self) {
        // Fails only if the process has already ended.
        drop(self.child.kill().await);
    }

    async fn next_change(&mut self, deadline: Instant) -> Change {
        let mut measure = interval_at(Instant::now() + MEASURE_EVERY, MEASURE_EVERY);
        loop {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return Change::Stopped,
                // Checked before the exit: a function that replies and then exits has replied.
                report = self.api.report() => return Change::Report(report),
                status = self.child.wait() => return Change::Exited(status.unwrap_or_default()),
                () = sleep_until(deadline) => return Change::Deadline,
                _ = measure.tick() => if self.is_over_memory() { return Change::OutOfMemory },
            }
        }
    }

    fn is_over_memory(&self) -> bool {
        let used = self.child.id().and_then(memory::used_mb);
        used.is_some_and(|used| used > u64::from(self.function.memory_mb))
    }
}

fn unhandled(payload: Bytes) -> Invocation {
    Invocation { payload, error: Some(FunctionError::Unhandled) }
}
