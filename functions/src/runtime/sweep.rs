//! One run of a scheduled function. It is limited in time, processes a few items at once, and goes on
//! after an item has failed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::{Stream, StreamExt};
use shared::error::Result;

/// One run over everything that is due. Runs share no position: each starts with the oldest due
/// items, and the items that it does not reach are still due in the next run.
pub(crate) struct Sweep {
    deadline: Instant,
    concurrency: usize,
    failed: AtomicUsize,
}

impl Sweep {
    /// Starts now, takes on new items for `time`, and processes `concurrency` of them at once.
    pub(crate) fn start(time: Duration, concurrency: usize) -> Self {
        Self { deadline: Instant::now() + time, concurrency, failed: AtomicUsize::new(0) }
    }

    /// Runs `process` on each item, and returns how many of these calls changed something
    /// (`Ok(true)`). Logs each failure and counts it in [`Sweep::failed`].
    pub(crate) async fn for_each<T, F>(
        &self,
        items: impl Stream<Item = Result<T>> + Send,
        process: impl Fn(T) -> F + Sync,
    ) -> usize
    where
        T: Send,
        F: Future<Output = Result<bool>> + Send,
    {
        let process = &process;
        let processed = items
            .take_while(|_| std::future::ready(Instant::now() < self.deadline))
            .map(|item| async move {
                match item {
                    Ok(item) => process(item).await,
                    Err(error) => Err(error),
                }
            })
            .buffer_unordered(self.concurrency);
        processed
            .fold(0, |changed, result| {
                std::future::ready(changed + usize::from(self.has_changed(result)))
            })
            .await
    }

    /// How many items failed so far.
    pub(crate) fn failed(&self) -> usize {
        self.failed.load(Ordering::Relaxed)
    }

    fn has_changed(&self, result: Result<bool>) -> bool {
        result.unwrap_or_else(|error| {
            self.failed.fetch_add(1, Ordering::Relaxed);
            let source = error.cause();
            tracing::error!(code = error.code().code, source, "item failed: {}", error.code().code);
            false
        })
    }
}
