//! Fan-out: pushes new feed entries to the sockets of the feed.
//!
//! A feed with few sockets is pushed to directly. Once a feed has more sockets than a threshold, it
//! becomes wide: its pushes are requested in the fan-out table, and a separate invocation per shard
//! carries them out ([`FanOut::drain_shard`]). Repeated requests have no effect.
//!
//! Each socket gets its frames in order, and sockets don't wait for each other. A socket that does
//! not take a frame within half a second counts as lagging: a catch-up ([`super::catch_up`]) sends
//! it the entries that it misses, and pushes to the other sockets continue.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt, future, stream};
use jiff::{SignedDuration, Timestamp};

use super::LiveService;
use super::push::{self, ApiGateway, PostOutcome, Push, TimeoutPolicy};
use crate::config::{ConfigError, parsed};
use crate::domain::feed::Feed;
use crate::error::{Error, Result};
use crate::store::{Entry, FanOutTable, ShardProgress, SkipOutcome, Subscription, Sweep};

/// How many sockets are pushed to concurrently.
const CONCURRENT_SOCKETS: usize = 64;
/// How many feeds' subscriptions are read concurrently.
const CONCURRENT_FEEDS: usize = 32;
/// The time that a socket may take for all frames of a batch: a fixed part, and a part per frame. A
/// post takes 10 to 20 ms with API Gateway and is limited to half a second. This budget also finds
/// sockets on which every post takes much longer than usual, but none takes half a second.
const SLOW_SOCKET_BUDGET: (Duration, Duration) =
    (Duration::from_millis(500), Duration::from_millis(50));
/// The default of [`FanOut::page`].
const PAGE: usize = 100;
/// The most entries that one sweep over a shard pushes.
const SWEEP_ENTRIES: u64 = 100;
/// The longest time that a replay can hold a subscription, because its function times out earlier.
/// A subscription that is held for longer was left behind by a crash.
const REPLAY_TIMEOUT: SignedDuration = SignedDuration::from_secs(60);

/// Entries of a feed, in order: the number and the frame of each.
type Frames = Vec<(u64, Vec<u8>)>;

/// Pushes feed entries to sockets.
#[derive(Debug, Clone)]
pub struct FanOut<P = ApiGateway> {
    /// Access to feeds and sockets.
    pub live: LiveService<P>,
    /// The requested pushes of wide feeds.
    pub table: FanOutTable,
    /// The most sockets of a feed that are pushed to directly.
    pub threshold: usize,
    /// The most frames per second that are pushed to one shard's sockets. All shards share API
    /// Gateway's quota with all other requests.
    pub pace: u32,
    /// How many sockets are pushed to before a shard's progress is saved. After a crash, these may
    /// get a frame again.
    pub page: usize,
}

impl FanOut {
    /// Reads `FAN_OUT_THRESHOLD` (default 500), `FAN_OUT_PACE` (default 600), `FAN_OUT_TABLE_NAME`,
    /// and the variables that [`LiveService::from_env`] reads.
    ///
    /// # Errors
    /// Fails if a variable is missing or invalid; the error names it.
    pub fn from_env() -> std::result::Result<Self, ConfigError> {
        let pace = parsed("FAN_OUT_PACE", 600)?;
        if pace == 0 {
            return Err(ConfigError::new("FAN_OUT_PACE", "must be at least 1"));
        }
        let threshold = parsed("FAN_OUT_THRESHOLD", 500)?;
        Ok(Self {
            live: LiveService::from_env(TimeoutPolicy::Short)?,
            table: FanOutTable::from_env()?,
            threshold,
            pace,
            page: PAGE,
        })
    }
}

impl<P: Push> FanOut<P> {
    /// Delivers these entries to every subscriber of their feeds. The entries of one feed must be
    /// in the order of their numbers, and every socket gets them in that order. Repeating this is
    /// safe: a client recognizes an entry that it already has by its number.
    ///
    /// Returns the feeds that failed, with their errors. Their entries must be delivered again.
    pub async fn deliver(&self, entries: impl IntoIterator<Item = Entry>) -> BTreeMap<Feed, Error> {
        let failures = Mutex::new(BTreeMap::new());
        let record_failure = |feed: &Feed, error| {
            failures.lock().unwrap_or_else(PoisonError::into_inner).insert(feed.clone(), error);
        };
        let mut feeds: BTreeMap<Feed, Frames> = BTreeMap::new();
        for entry in entries {
            match serde_json::to_vec(&entry) {
                Ok(frame) => feeds.entry(entry.feed).or_default().push((entry.seq, frame)),
                Err(error) => record_failure(&entry.feed, Error::internal(error)),
            }
        }
        let lookups: Vec<_> = feeds.iter().map(|feed| self.with_recipients(feed)).collect();
        stream::iter(lookups)
            .buffer_unordered(CONCURRENT_FEEDS)
            .flat_map(|(feed, frames, recipients)| {
                let recipients = recipients.unwrap_or_else(|error| {
                    record_failure(feed, error);
                    Vec::new()
                });
                stream::iter(recipients).map(move |subscription| (feed, frames, subscription))
            })
            .for_each_concurrent(CONCURRENT_SOCKETS, async |(feed, frames, subscription)| {
                if let Err(error) = self.deliver_to(subscription, frames).await {
                    record_failure(feed, error);
                }
            })
            .await;
        failures.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    async fn with_recipients<'a>(
        &self,
        (feed, frames): (&'a Feed, &'a Frames),
    ) -> (&'a Feed, &'a Frames, Result<Vec<Subscription>>) {
        (feed, frames, self.recipients(feed, frames).await)
    }

    /// Returns the subscriptions to push to directly. For a wide feed, requests a push to each
    /// shard instead and returns an empty list.
    async fn recipients(&self, feed: &Feed, frames: &Frames) -> Result<Vec<Subscription>> {
        let subscribers = self.live.connections.subscribers(feed);
        let (Some((first, _)), Some((last, _))) = (frames.first(), frames.last()) else {
            return Ok(Vec::new());
        };
        if matches!(feed, Feed::User(_)) {
            return subscribers.try_collect().await;
        }
        let recipients = subscribers.take(self.threshold + 1).try_collect::<Vec<_>>();
        let (wide, recipients) = future::try_join(self.table.is_wide(feed), recipients).await?;
        if !wide && recipients.len() <= self.threshold {
            return Ok(recipients);
        }
        if !wide {
            tracing::info!(%feed, "feed {feed} is pushed shard by shard from now on");
            self.table.prepare_wide(feed, first - 1).await?;
        }
        self.table.request_push(feed, *last).await?;
        Ok(Vec::new())
    }

    /// Pushes all requested entries to the sockets of one shard. After a crash, the next call
    /// continues where the last one stopped. Does nothing if no requested entry is left.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    /// A failing socket is not an error.
    pub async fn drain_shard(&self, feed: &Feed, shard: u8) -> Result<()> {
        while let Some((target, progress)) = self.table.shard(feed, shard).await? {
            let to = match &progress.sweep {
                Some(sweep) => sweep.to,
                None if progress.done < target.last => {
                    target.last.min(progress.done + SWEEP_ENTRIES)
                }
                None => break,
            };
            self.sweep(progress, to).await?;
        }
        Ok(())
    }

    /// Pushes the entries up to `to` to all sockets of a shard, starting after the last socket that
    /// an interrupted sweep has finished.
    async fn sweep(&self, mut progress: ShardProgress, to: u64) -> Result<()> {
        let frames = self.frames(&progress.feed, progress.done, to).await?;
        loop {
            let after = progress.sweep.as_ref().map(|sweep| sweep.after.as_str());
            let (sockets, more) = self
                .live
                .connections
                .subscribers_after(&progress.feed, progress.shard, after, self.page)
                .await?;
            let last = sockets.last().map(|last| last.connection.clone()).filter(|_| more);
            self.deliver_paced(sockets, &frames).await?;
            let (done, sweep) = match last {
                Some(after) => (progress.done, Some(Sweep { to, after })),
                None => (to, None),
            };
            match self.table.save_progress(&progress, done, sweep).await? {
                Some(saved) if saved.sweep.is_some() => progress = saved,
                // Either the sweep is complete or another invocation has taken over. The caller
                // reads the progress again.
                _ => return Ok(()),
            }
        }
    }

    /// Delivers frames to these sockets, no faster than the pace. If one fails, the others still
    /// get theirs.
    async fn deliver_paced(&self, sockets: Vec<Subscription>, frames: &Frames) -> Result<()> {
        let frame_count = u32::try_from(frames.len()).unwrap_or(u32::MAX).max(1);
        let mut pace = tokio::time::interval(Duration::from_secs(1) * frame_count / self.pace);
        let result = Mutex::new(Ok(()));
        let (deliver_to, result_ref) = (|socket| self.deliver_to(socket, frames), &result);
        let mut sockets = stream::iter(sockets);
        let paced = stream::poll_fn(move |context| match pace.poll_tick(context) {
            std::task::Poll::Ready(_) => sockets.poll_next_unpin(context),
            std::task::Poll::Pending => std::task::Poll::Pending,
        });
        paced
            .for_each_concurrent(CONCURRENT_SOCKETS, async |socket| {
                if let Err(error) = deliver_to(socket).await {
                    *result_ref.lock().unwrap_or_else(PoisonError::into_inner) = Err(error);
                }
            })
            .await;
        result.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the entries of a feed after the number `after`, up to `to`.
    async fn frames(&self, feed: &Feed, mut after: u64, to: u64) -> Result<Frames> {
        let mut frames = Vec::new();
        while after < to {
            let limit = usize::try_from(to - after).unwrap_or(usize::MAX);
            let page = self.live.store.feed_after(feed, after, to, limit, Timestamp::now()).await?;
            after = page.next;
            for entry in page.items {
                frames.push((entry.seq, serde_json::to_vec(&entry).map_err(Error::internal)?));
            }
        }
        Ok(frames)
    }

    /// Makes sure that a socket gets these frames: pushes them, leaves them to the replay that
    /// holds the subscription, or requests a catch-up if the socket is too slow.
    async fn deliver_to(&self, mut subscription: Subscription, frames: &Frames) -> Result<()> {
        let connections = &self.live.connections;
        let Some(&(last, _)) = frames.last() else { return Ok(()) };
        loop {
            let skipped = match subscription.from {
                Some(from) => match self.push_frames(&subscription, from, frames).await? {
                    None => return Ok(()),
                    Some(behind) => {
                        connections
                            .mark_lagging(&subscription, behind, last, Timestamp::now())
                            .await?
                    }
                },
                None if subscription.held_at + REPLAY_TIMEOUT < Timestamp::now() => {
                    // The replay has crashed. The client will reconnect and send another hello.
                    self.live.close_socket(&subscription.connection).await?;
                    return connections
                        .unsubscribe(&subscription.feed, &subscription.connection)
                        .await;
                }
                None => connections.record_skipped(&subscription, last).await?,
            };
            match skipped {
                // The request is repeated if an earlier invocation left the socket behind, because
                // that invocation may have crashed before it made the request.
                SkipOutcome::Recorded(held) if held.behind.is_some() => {
                    return self.table.request_catch_up(&held).await;
                }
                SkipOutcome::Recorded(_) | SkipOutcome::Gone => return Ok(()),
                SkipOutcome::Changed(current) => subscription = *current,
            }
        }
    }

    /// Pushes the frames above the number `from` to a socket. If the socket is too slow, returns
    /// the last number that it has received.
    async fn push_frames(
        &self,
        subscription: &Subscription,
        from: u64,
        frames: &Frames,
    ) -> Result<Option<u64>> {
        let connection = &subscription.connection;
        let missing: Vec<_> = frames.iter().filter(|(seq, _)| *seq > from).collect();
        let (base, per_frame) = SLOW_SOCKET_BUDGET;
        let frame_count = u32::try_from(missing.len()).unwrap_or(u32::MAX);
        let deadline = Instant::now() + base + per_frame * frame_count;
        for (seq, frame) in missing {
            if Instant::now() > deadline {
                tracing::warn!(connection, "socket {connection} is too slow and needs a catch-up");
                return Ok(Some(seq - 1));
            }
            match self.live.push.post(connection, frame).await {
                Ok(PostOutcome::Delivered) => {}
                Ok(PostOutcome::Gone) => {
                    self.live.connections.remove(connection).await?;
                    // A hello that raced with the socket's removal may have left a subscription.
                    self.live.connections.unsubscribe(&subscription.feed, connection).await?;
                    return Ok(None);
                }
                Err(error) => {
                    let error = push::cause(&error);
                    tracing::warn!(
                        connection,
                        error,
                        "socket {connection} is too slow and needs a catch-up"
                    );
                    return Ok(Some(seq - 1));
                }
            }
        }
        Ok(None)
    }
}
