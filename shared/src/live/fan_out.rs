//! Fan-out: what was appended to feeds goes to their sockets.
//!
//! A feed with few sockets is pushed to directly. One with more than a threshold becomes wide: its
//! entries are asked for in the fan-out table, shard by shard, and each shard is brought to them by
//! an invocation of its own ([`FanOut::bring`]), whichever number of times it is asked.
//!
//! Each socket gets its frames in order while others get theirs. A slow one is waited for half a
//! second at most, and then left behind: a [`super::catch_up`] of its own brings it what it lacks,
//! while the next entries go to all others.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt, future, stream};
use jiff::{SignedDuration, Timestamp};

use super::Live;
use super::push::{self, ApiGateway, Posted, Push, TimeoutPolicy};
use crate::config::{ConfigError, parsed};
use crate::domain::feed::Feed;
use crate::error::{Error, Result};
use crate::store::{Done, Entry, FanOuts, Pass, Skip, Subscription};

/// Sockets that are handed something at the same time.
const AT_ONCE: usize = 64;
/// Feeds whose sockets are looked up at the same time.
const FEEDS: usize = 32;
/// How long a socket may take for what it is handed in one batch, and for each frame of it. A post
/// ends after half a second at most, and takes 10 to 20 ms with API Gateway: a socket for which
/// each takes much longer than that is slow, too.
const SLOW_SOCKET_BUDGET: (Duration, Duration) =
    (Duration::from_millis(500), Duration::from_millis(50));
/// What [`FanOut::page`] usually is.
const PAGE: usize = 100;
/// Entries that one pass over a shard's sockets hands out, at most.
const ENTRIES: u64 = 100;
/// After this a replay that still holds a subscription has died: its function is given less time.
const REPLAY_ENDS: SignedDuration = SignedDuration::from_secs(60);

/// Numbers and frames, in order.
type Frames = Vec<(u64, Vec<u8>)>;

/// The way from feeds to sockets.
#[derive(Debug, Clone)]
pub struct FanOut<P = ApiGateway> {
    /// Feeds, sockets, and the way to the sockets.
    pub live: Live<P>,
    /// What wide feeds are due.
    pub table: FanOuts,
    /// Sockets of a feed that are pushed to directly, at most.
    pub threshold: usize,
    /// Frames a second that are handed to one shard's sockets, at most: all shards share API
    /// Gateway's quota with all other requests.
    pub pace: u32,
    /// Sockets between two notes of how far a shard has come: those that may get a frame again when
    /// an invocation dies.
    pub page: usize,
}

impl FanOut {
    /// From `FAN_OUT_THRESHOLD` (500), `FAN_OUT_PACE` (600), `FAN_OUT_TABLE_NAME`, and what
    /// [`Live::from_env`] reads.
    pub fn from_env() -> std::result::Result<Self, ConfigError> {
        let pace = parsed("FAN_OUT_PACE", 600)?;
        if pace == 0 {
            return Err(ConfigError::new("FAN_OUT_PACE", "must be at least 1"));
        }
        let threshold = parsed("FAN_OUT_THRESHOLD", 500)?;
        Ok(Self {
            live: Live::from_env(TimeoutPolicy::Short)?,
            table: FanOuts::from_env()?,
            threshold,
            pace,
            page: PAGE,
        })
    }
}

impl<P: Push> FanOut<P> {
    /// Sees to it that everyone who gets these entries does; each feed's in the order of their
    /// numbers. Safe to repeat: a client tells an entry it has by its number.
    ///
    /// Returns the feeds that could not be seen to; their entries are to be delivered again.
    pub async fn deliver(&self, entries: impl IntoIterator<Item = Entry>) -> BTreeMap<Feed, Error> {
        let failures = Mutex::new(BTreeMap::new());
        let failed = |feed: &Feed, error| {
            failures.lock().unwrap_or_else(PoisonError::into_inner).insert(feed.clone(), error);
        };
        let mut feeds: BTreeMap<Feed, Frames> = BTreeMap::new();
        for entry in entries {
            match serde_json::to_vec(&entry) {
                Ok(frame) => feeds.entry(entry.feed).or_default().push((entry.seq, frame)),
                Err(error) => failed(&entry.feed, Error::internal(error)),
            }
        }
        let found: Vec<_> = feeds.iter().map(|feed| self.with_recipients(feed)).collect();
        stream::iter(found)
            .buffer_unordered(FEEDS)
            .flat_map(|(feed, frames, recipients)| {
                let recipients = recipients.unwrap_or_else(|error| {
                    failed(feed, error);
                    Vec::new()
                });
                stream::iter(recipients).map(move |subscription| (feed, frames, subscription))
            })
            .for_each_concurrent(AT_ONCE, async |(feed, frames, subscription)| {
                if let Err(error) = self.give(subscription, frames).await {
                    failed(feed, error);
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

    /// Whom to push a feed's entries to here and now: nobody, when they were asked for shard by
    /// shard.
    async fn recipients(&self, feed: &Feed, frames: &Frames) -> Result<Vec<Subscription>> {
        let subscribers = self.live.connections.subscribers(feed);
        let (Some((first, _)), Some((last, _))) = (frames.first(), frames.last()) else {
            return Ok(Vec::new());
        };
        if matches!(feed, Feed::User(_)) {
            return subscribers.try_collect().await;
        }
        let some = subscribers.take(self.threshold + 1).try_collect::<Vec<_>>();
        let (wide, some) = future::try_join(self.table.is_wide(feed), some).await?;
        if !wide && some.len() <= self.threshold {
            return Ok(some);
        }
        if !wide {
            tracing::info!(%feed, "feed {feed} is pushed shard by shard from now on");
            self.table.widen(feed, first - 1).await?;
        }
        self.table.ask(feed, *last).await?;
        Ok(Vec::new())
    }

    /// Brings the sockets of one shard to what they are due. Whoever does that after an invocation
    /// that died goes on where it was; when there is nothing left to be done, nothing is.
    ///
    /// # Errors
    /// When the database is unavailable; never for what a socket does.
    pub async fn bring(&self, feed: &Feed, shard: u8) -> Result<()> {
        while let Some((due, done)) = self.table.shard(feed, shard).await? {
            let to = match &done.pass {
                Some(pass) => pass.to,
                None if done.done < due.last => due.last.min(done.done + ENTRIES),
                None => break,
            };
            self.pass(done, to).await?;
        }
        Ok(())
    }

    /// One pass over a shard's sockets, from where it is.
    async fn pass(&self, mut at: Done, to: u64) -> Result<()> {
        let frames = self.frames(&at.feed, at.done, to).await?;
        loop {
            let after = at.pass.as_ref().map(|pass| pass.after.as_str());
            let (sockets, more) = self
                .live
                .connections
                .subscribers_after(&at.feed, at.shard, after, self.page)
                .await?;
            let last = sockets.last().map(|last| last.connection.clone()).filter(|_| more);
            self.hand_out(sockets, &frames).await?;
            let noted = match last {
                Some(after) => self.table.note(&at, at.done, Some(Pass { to, after })).await?,
                None => self.table.note(&at, to, None).await?,
            };
            match noted {
                Some(noted) if noted.pass.is_some() => at = noted,
                // The pass is over, or another invocation is at it: whoever called looks again.
                _ => return Ok(()),
            }
        }
    }

    /// Hands frames to all of these, no faster than the pace; waits for all of them, whatever
    /// becomes of one.
    async fn hand_out(&self, sockets: Vec<Subscription>, frames: &Frames) -> Result<()> {
        let each = u32::try_from(frames.len()).unwrap_or(u32::MAX).max(1);
        let mut pace = tokio::time::interval(Duration::from_secs(1) * each / self.pace);
        let failure = Mutex::new(Ok(()));
        let (give, failure_of) = (|socket| self.give(socket, frames), &failure);
        let mut sockets = stream::iter(sockets);
        let paced = stream::poll_fn(move |context| match pace.poll_tick(context) {
            std::task::Poll::Ready(_) => sockets.poll_next_unpin(context),
            std::task::Poll::Pending => std::task::Poll::Pending,
        });
        paced
            .for_each_concurrent(AT_ONCE, async |socket| {
                if let Err(error) = give(socket).await {
                    *failure_of.lock().unwrap_or_else(PoisonError::into_inner) = Err(error);
                }
            })
            .await;
        failure.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// The entries of a feed after one number up to another.
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

    /// Sees to it that a socket gets these frames: hands them over, or tells the replay that holds
    /// the subscription of them, or leaves the socket behind.
    async fn give(&self, mut subscription: Subscription, frames: &Frames) -> Result<()> {
        let connections = &self.live.connections;
        let Some(&(last, _)) = frames.last() else { return Ok(()) };
        loop {
            let skip = match subscription.from {
                Some(from) => match self.hand_over(&subscription, from, frames).await? {
                    None => return Ok(()),
                    Some(behind) => {
                        connections
                            .leave_behind(&subscription, behind, last, Timestamp::now())
                            .await?
                    }
                },
                None if subscription.held_at + REPLAY_ENDS < Timestamp::now() => {
                    // Nobody will replay it. The client comes back and says hello again.
                    self.live.end(&subscription.connection).await?;
                    return connections
                        .unsubscribe(&subscription.feed, &subscription.connection)
                        .await;
                }
                None => connections.skip(&subscription, last).await?,
            };
            match skip {
                // Whoever left it behind may have died before asking.
                Skip::Noted(held) if held.behind.is_some() => {
                    return self.table.ask_catch_up(&held).await;
                }
                Skip::Noted(_) | Skip::Gone => return Ok(()),
                Skip::Look(now) => subscription = *now,
            }
        }
    }

    /// Hands over those frames that are above a number. Returns the number before the one that the
    /// socket did not take in time.
    async fn hand_over(
        &self,
        to: &Subscription,
        from: u64,
        frames: &Frames,
    ) -> Result<Option<u64>> {
        let due: Vec<_> = frames.iter().filter(|(seq, _)| *seq > from).collect();
        let until = Instant::now()
            + SLOW_SOCKET_BUDGET.0
            + SLOW_SOCKET_BUDGET.1 * u32::try_from(due.len()).unwrap_or(u32::MAX);
        for (seq, frame) in due {
            if Instant::now() > until {
                tracing::warn!(
                    connection = to.connection,
                    "socket {} is slow: it is left behind",
                    to.connection
                );
                return Ok(Some(seq - 1));
            }
            match self.live.push.post(&to.connection, frame).await {
                Ok(Posted::Yes) => {}
                Ok(Posted::Gone) => {
                    self.live.connections.forget(&to.connection).await?;
                    // A hello that came too late for the socket's own clean-up may have left it.
                    self.live.connections.unsubscribe(&to.feed, &to.connection).await?;
                    return Ok(None);
                }
                Err(error) => {
                    let (connection, error) = (&to.connection, push::cause(&error));
                    tracing::warn!(
                        connection,
                        error,
                        "socket {connection} is slow: it is left behind"
                    );
                    return Ok(Some(seq - 1));
                }
            }
        }
        Ok(None)
    }
}
