//! Chooses the instance for each invocation: an idle one, a new one, or none.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::group::Group;
use super::idle::Idle;
use super::instance::{Instance, Outcome};
use super::runtime_api::Event;
use super::settings::{Launch, MAX_PAYLOAD, Settings};
use crate::invoke::{Invocation, InvokeError};
use crate::log::Log;
use crate::model::Function;

/// How long a reply is held back until its instance is ready again, so that a caller's next call
/// reuses this instance instead of starting a second one. It usually takes a fraction of a
/// millisecond, unless the function goes on working after its reply.
const READY_GRACE: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(super) struct Pool {
    entries: BTreeMap<String, Arc<Entry>>,
    settings: Settings,
    log: Log,
    group: Group,
    /// One permit for each instance that is starting or busy.
    running: Arc<Semaphore>,
    /// One permit for each instance that is starting. If a hundred started at once, all of them
    /// would miss the init timeout.
    starting: Semaphore,
    idle: Idle,
    /// Incremented when the programs change. Instances of an earlier generation get no more
    /// invocations.
    generation: AtomicU64,
    stop: CancellationToken,
    tasks: TaskTracker,
}

#[derive(Debug)]
struct Entry {
    function: Arc<Function>,
    launch: Launch,
    reserved: Option<Arc<Semaphore>>,
}

/// The permits that allow one invocation to use an instance.
#[derive(Debug)]
struct Admission {
    entry: Arc<Entry>,
    _reserved: Option<OwnedSemaphorePermit>,
    _running: OwnedSemaphorePermit,
}

type Reply = oneshot::Sender<Result<Invocation, InvokeError>>;

impl Pool {
    pub(super) fn new(
        functions: impl IntoIterator<Item = (Function, Launch)>,
        settings: Settings,
        log: Log,
    ) -> Arc<Self> {
        let entries = functions.into_iter().map(|(function, launch)| {
            let reserved =
                function.reserved_concurrency.map(|n| Arc::new(Semaphore::new(n as usize)));
            let name = function.name.clone();
            (name, Arc::new(Entry { function: function.into(), launch, reserved }))
        });
        let starting = 4 * std::thread::available_parallelism().map_or(1, Into::into);
        let pool = Arc::new(Self {
            entries: entries.collect(),
            group: Group::new(&log),
            log,
            running: Arc::new(Semaphore::new(settings.max_instances)),
            starting: Semaphore::new(starting),
            idle: Idle::default(),
            generation: AtomicU64::new(0),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            settings,
        });
        let every = (pool.settings.idle_timeout / 4).max(Duration::from_millis(10));
        pool.tasks.spawn(reap(Arc::downgrade(&pool), pool.stop.clone(), every));
        pool
    }

    /// Invokes a function. As on Lambda, the invocation goes on if its caller goes away.
    ///
    /// # Errors
    /// `TooLarge` for a payload over [`MAX_PAYLOAD`], `NotFound` when there is no such function,
    /// `Throttled` when no instance is free, and `Unavailable` when the process does not start or
    /// the cloud is stopping.
    pub(super) async fn invoke(
        self: Arc<Self>,
        name: &str,
        payload: Bytes,
    ) -> Result<Invocation, InvokeError> {
        if payload.len() > MAX_PAYLOAD {
            let size = payload.len();
            return Err(InvokeError::TooLarge(format!(
                "{size} byte payload is too large (limit {MAX_PAYLOAD} bytes)"
            )));
        }
        let admission = self.admit(name).await?;
        let (reply, answer) = oneshot::channel();
        self.tasks.spawn(self.clone().run(admission, payload, reply));
        answer.await.unwrap_or_else(|_| Err(stopping()))
    }

    /// Starts an instance unless one is idle.
    ///
    /// # Errors
    /// As for [`Pool::invoke`], except `TooLarge`.
    pub(super) async fn warm(self: Arc<Self>, name: &str) -> Result<(), InvokeError> {
        let admission = self.admit(name).await?;
        let warmed = async {
            let instance = self.instance(&admission.entry).await?;
            self.put_back(instance, admission);
            Ok(())
        };
        self.tasks.track_future(warmed).await
    }

    /// Makes later invocations use new instances, and kills the idle ones.
    pub(super) async fn replace(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
        self.idle.kill_all().await;
    }

    pub(super) async fn stop(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.idle.kill_all().await;
    }

    async fn admit(&self, name: &str) -> Result<Admission, InvokeError> {
        let not_found = || InvokeError::NotFound(format!("Function not found: {name}"));
        let entry = self.entries.get(name).ok_or_else(not_found)?.clone();
        if self.stop.is_cancelled() {
            return Err(stopping());
        }
        let reserved =
            entry.reserved.clone().map(Semaphore::try_acquire_owned).transpose().map_err(|_| {
                let text = "throttled: ReservedConcurrentExecutions are all in use";
                self.log.line(name, None, text);
                InvokeError::Throttled(format!("Rate Exceeded. {name} is {text}"))
            })?;
        let running = timeout(self.settings.queue_wait, self.running.clone().acquire_owned()).await;
        let Ok(Ok(running)) = running else {
            let text = format!(
                "throttled: all {} instances of the local cloud are in use",
                self.settings.max_instances
            );
            self.log.line(name, None, &text);
            return Err(InvokeError::Throttled(format!("Rate Exceeded. {name} is {text}")));
        };
        Ok(Admission { entry, _reserved: reserved, _running: running })
    }

    /// Runs one invocation, until its instance is idle again or has ended.
    async fn run(self: Arc<Self>, admission: Admission, payload: Bytes, reply: Reply) {
        let function = &admission.entry.function;
        let event = Event {
            request_id: Uuid::now_v7().to_string(),
            function_arn: function.arn.clone(),
            timeout: function.timeout,
            payload,
        };
        let log = |text: &str| self.log.line(&function.name, Some(&event.request_id), text);
        loop {
            let mut instance = match self.instance(&admission.entry).await {
                Ok(instance) => instance,
                Err(e) => return answer(reply, Err(e)),
            };
            let deadline = Instant::now() + event.timeout;
            match instance.invoke(event.clone()).await {
                Outcome::NotTaken => {
                    log("its process had ended while idle; another process handles the event")
                }
                Outcome::Stopped => return answer(reply, Err(stopping())),
                Outcome::Ended(invocation) => {
                    log(&failure(&invocation));
                    return answer(reply, Ok(invocation));
                }
                Outcome::Answered(invocation) => {
                    if invocation.error.is_some() {
                        log(&failure(&invocation));
                    }
                    return self.release(instance, admission, deadline, reply, invocation).await;
                }
            }
        }
    }

    async fn release(
        &self,
        mut instance: Instance,
        admission: Admission,
        deadline: Instant,
        reply: Reply,
        invocation: Invocation,
    ) {
        if let Ok(ready) = timeout(READY_GRACE, instance.wait_until_ready(deadline)).await {
            if ready {
                self.put_back(instance, admission);
            }
            return answer(reply, Ok(invocation));
        }
        answer(reply, Ok(invocation));
        if instance.wait_until_ready(deadline).await {
            self.put_back(instance, admission);
        }
    }

    async fn instance(&self, entry: &Entry) -> Result<Instance, InvokeError> {
        while !self.stop.is_cancelled() {
            let mut freed = std::pin::pin!(self.idle.freed());
            // Registers for wake-ups now instead of at the first poll, so that an instance that
            // becomes idle right after the check below is noticed.
            freed.as_mut().enable();
            if let Some(instance) = self.idle.take(&entry.function.name, self.generation()) {
                return Ok(instance);
            }
            tokio::select! {
                biased;
                () = freed => {}
                Ok(_starting) = self.starting.acquire() => return self.start(entry).await,
            }
        }
        Err(stopping())
    }

    fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    async fn start(&self, entry: &Entry) -> Result<Instance, InvokeError> {
        let running = self.settings.max_instances - self.running.available_permits();
        if self.idle.len() + running > self.settings.max_instances
            && let Some(mut evicted) = self.idle.take_oldest()
        {
            evicted.kill().await;
        }
        let (function, stop) = (entry.function.clone(), self.stop.clone());
        // Read before the process starts: at worst, a process that runs the new program counts as
        // an old one.
        let generation = self.generation();
        let started = Instance::start(
            function,
            generation,
            &entry.launch,
            &self.group,
            self.settings.init_timeout,
            stop,
            &self.log,
        )
        .await;
        started.map_err(|reason| {
            self.log.line(&entry.function.name, None, &reason);
            InvokeError::Unavailable(reason)
        })
    }

    fn put_back(&self, instance: Instance, admission: Admission) {
        if instance.generation == self.generation() {
            self.idle.put(instance);
        }
        drop(admission);
        self.idle.notify_freed();
    }
}

/// Kills instances that have been idle for too long. Returns when the pool is dropped, which kills
/// the rest.
async fn reap(pool: Weak<Pool>, stop: CancellationToken, every: Duration) {
    while stop.run_until_cancelled(sleep(every)).await.is_some() {
        let Some(pool) = pool.upgrade() else { return };
        pool.idle.reap(pool.settings.idle_timeout).await;
    }
}

fn answer(reply: Reply, result: Result<Invocation, InvokeError>) {
    // Fails only if the caller has gone away.
    drop(reply.send(result));
}

fn stopping() -> InvokeError {
    InvokeError::Unavailable("the local cloud is stopping".to_owned())
}

/// Returns the log line for a failed invocation, taken from Lambda's error object.
fn failure(invocation: &Invocation) -> String {
    let error: serde_json::Value = serde_json::from_slice(&invocation.payload).unwrap_or_default();
    match (error["errorType"].as_str(), error["errorMessage"].as_str()) {
        (Some(kind), Some(message)) => format!("failed: {kind}: {message}"),
        _ => format!("failed: {}", String::from_utf8_lossy(&invocation.payload)),
    }
}
