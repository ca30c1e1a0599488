//! One run of a scheduled function. It is limited in time, processes a few items at once, and goes
//! on after an item has failed. A run in which anything failed ends with an error.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::{Stream, StreamExt};
use shared::error::{Error, Result, catalogue};
use tracing::{Instrument, Span};

/// One run over everything that is due. Runs share no position: each starts with the oldest due
/// items, and the items that it does not reach are still due in the next run.
pub(crate) struct Sweep {
    deadline: Instant,
    concurrency: usize,
    tally: Mutex<Tally>,
}

/// What a run has done so far.
#[derive(Default)]
struct Tally {
    /// Items that were processed, whether or not they failed.
    processed: usize,
    /// Items that failed, by the code of their error.
    failed: BTreeMap<&'static str, usize>,
    /// Whether the time was up before all items were processed.
    is_cut_short: bool,
}

impl Sweep {
    /// Starts now, takes on new items for `time`, and processes `concurrency` of them at once.
    pub(crate) fn start(time: Duration, concurrency: usize) -> Self {
        Self { deadline: Instant::now() + time, concurrency, tally: Mutex::default() }
    }

    /// Runs `process` on each item, and returns how many of these calls changed something
    /// (`Ok(true)`). What is logged about an item is logged in its span. Logs each failure, and
    /// counts it for [`Sweep::finish`].
    pub(crate) async fn for_each<T, F>(
        &self,
        items: impl Stream<Item = Result<T>> + Send,
        span: impl Fn(&T) -> Span + Sync,
        process: impl Fn(T) -> F + Sync,
    ) -> usize
    where
        T: Send,
        F: Future<Output = Result<bool>> + Send,
    {
        let (span, process) = (&span, &process);
        let processed = items
            .take_while(|_| std::future::ready(self.has_time()))
            .map(|item| async move {
                match item {
                    Ok(item) => {
                        let span = span(&item);
                        (process(item).instrument(span.clone()).await, span)
                    }
                    Err(error) => (Err(error), Span::none()),
                }
            })
            .buffer_unordered(self.concurrency);
        processed
            .fold(0, |changed, (result, span)| {
                let has_changed = span.in_scope(|| self.has_changed(result));
                std::future::ready(changed + usize::from(has_changed))
            })
            .await
    }

    /// Ends the run, and returns its report.
    ///
    /// # Errors
    /// `internal` if an item failed, or if the time was up before all items were processed.
    pub(crate) fn finish<R>(self, report: R) -> Result<R> {
        let tally = self.tally.into_inner().unwrap_or_else(PoisonError::into_inner);
        match tally.failure() {
            None => Ok(report),
            // For the one who invoked it, and for the log.
            Some(failure) => {
                Err(Error::new(&catalogue::INTERNAL, failure.clone()).with_source(failure))
            }
        }
    }

    /// How many items failed so far.
    pub(crate) fn failed(&self) -> usize {
        self.tally().failed.values().sum()
    }

    fn has_time(&self) -> bool {
        let has_time = Instant::now() < self.deadline;
        self.tally().is_cut_short |= !has_time;
        has_time
    }

    fn has_changed(&self, result: Result<bool>) -> bool {
        self.tally().processed += 1;
        result.unwrap_or_else(|error| {
            let (code, source) = (error.code().code, error.cause());
            *self.tally().failed.entry(code).or_default() += 1;
            tracing::error!(code, source, "item failed: {code}");
            false
        })
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tally {
    /// What went wrong: `2 of 7 items failed (database_unavailable: 2)`. `None` if nothing did.
    fn failure(&self) -> Option<String> {
        let (processed, failed) = (self.processed, self.failed.values().sum::<usize>());
        let codes: Vec<_> =
            self.failed.iter().map(|(code, count)| format!("{code}: {count}")).collect();
        let failures = format!(
            "{failed} of {processed} items failed ({}); the log has each of them, and the next \
             run tries them again",
            codes.join(", ")
        );
        let cut_short = format!(
            "the time was up after {processed} items, and the next run starts over with the oldest"
        );
        let parts: Vec<_> = [(failed > 0, failures), (self.is_cut_short, cut_short)]
            .into_iter()
            .filter_map(|(applies, text)| applies.then_some(text))
            .collect();
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::stream;

    use super::*;

    /// Processes the numbers up to 6, of which every third fails. Returns how many were processed,
    /// and the sweep.
    async fn sweep(time: Duration) -> (usize, Sweep) {
        let (sweep, processed) = (Sweep::start(time, 2), AtomicUsize::new(0));
        let process = |number: usize| {
            processed.fetch_add(1, Ordering::Relaxed);
            async move {
                match number % 3 {
                    0 => Err(Error::internal("broken for the test")),
                    _ => Ok(true),
                }
            }
        };
        sweep.for_each(stream::iter((1..=6).map(Ok)), |_| Span::none(), process).await;
        (processed.into_inner(), sweep)
    }

    #[tokio::test]
    async fn a_failed_item_fails_the_run_after_all_others_were_processed() {
        let (processed, sweep) = sweep(Duration::from_secs(60)).await;
        assert_eq!((processed, sweep.failed()), (6, 2));
        let error = sweep.finish(()).unwrap_err();
        assert!(error.detail().starts_with("2 of 6 items failed (internal: 2); "), "{error}");
    }

    #[tokio::test]
    async fn a_run_that_runs_out_of_time_fails_and_one_without_items_does_not() {
        let (processed, sweep) = sweep(Duration::ZERO).await;
        assert_eq!((processed, sweep.failed()), (0, 0));
        let error = sweep.finish(()).unwrap_err();
        assert!(error.detail().starts_with("the time was up after 0 items"), "{error}");
        assert_eq!(Sweep::start(Duration::ZERO, 1).finish(7).unwrap(), 7);
    }

    #[tokio::test]
    async fn items_that_cannot_be_listed_fail_the_run() {
        let sweep = Sweep::start(Duration::from_secs(60), 1);
        let items = stream::iter([Err(Error::internal("broken for the test"))]);
        sweep.for_each(items, |_: &usize| Span::none(), async |_| Ok(true)).await;
        assert!(sweep.finish(()).unwrap_err().detail().starts_with("1 of 1 items failed"));
    }
}
