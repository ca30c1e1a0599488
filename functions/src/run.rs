//! One run of a function that goes by the clock: bounded in time, a few things at once, and no
//! failure keeps the others from being done.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::{Stream, StreamExt};
use shared::error::Result;

/// How long a run looks for more, and what went wrong in it. The next run goes on where it stops,
/// because what was done is not found again.
pub(crate) struct Run {
    ends: Instant,
    at_once: usize,
    failed: AtomicUsize,
}

impl Run {
    /// Starts now, looks for more for so long, and does so many things at the same time.
    pub(crate) fn start(patience: Duration, at_once: usize) -> Self {
        Self { ends: Instant::now() + patience, at_once, failed: AtomicUsize::new(0) }
    }

    /// Does `what` with each, and counts those that changed something. A failure is logged, and
    /// counted in [`Run::failed`].
    pub(crate) async fn each<T, F>(
        &self,
        all: impl Stream<Item = Result<T>> + Send,
        what: impl Fn(T) -> F + Sync,
    ) -> usize
    where
        T: Send,
        F: Future<Output = Result<bool>> + Send,
    {
        let what = &what;
        let done = all
            .take_while(|_| std::future::ready(Instant::now() < self.ends))
            .map(|item| async move {
                match item {
                    Ok(item) => what(item).await,
                    Err(error) => Err(error),
                }
            })
            .buffer_unordered(self.at_once);
        done.fold(0, |changed, done| std::future::ready(changed + usize::from(self.counts(done))))
            .await
    }

    /// How many failed.
    pub(crate) fn failed(&self) -> usize {
        self.failed.load(Ordering::Relaxed)
    }

    fn counts(&self, done: Result<bool>) -> bool {
        done.unwrap_or_else(|error| {
            self.failed.fetch_add(1, Ordering::Relaxed);
            let source = error.cause();
            tracing::error!(code = error.code().code, source, "not done: {}", error.code().code);
            false
        })
    }
}
