//! Fan-out: what was appended to feeds goes to their sockets.
//!
//! The entries of one feed are grouped, and each socket gets its group in order while others get theirs: a slow socket is waited for, for
//! three seconds at most, by nobody's entries but its own.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use futures::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};

use super::Live;
use super::push::Push;
use crate::domain::feed::Feed;
use crate::error::{Error, Result};
use crate::store::{Entry, Skip, Subscription};

/// Sockets that are handed something at the same time.
const AT_ONCE: usize = 64;
/// After this a hello that still holds a subscription has died: its function is given less time.
const HELLO_ENDS: SignedDuration = SignedDuration::from_secs(60);

/// Numbers and frames, in order.
type Frames = Vec<(u64, Vec<u8>)>;

impl<P: Push> Live<P> {
    /// Hands entries to everyone who gets them; each feed's in the order of their numbers. Safe to repeat: a client tells an entry it has by
    /// its number.
    ///
    /// Returns the feeds of which some socket could be neither reached nor closed; their entries are to be delivered again.
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
        let subscribers = stream::select_all(feeds.iter().map(|(feed, frames)| {
            let subscribers = self.connections.subscribers(feed);
            subscribers.map(move |subscription| (feed, frames, subscription)).boxed()
        }));
        subscribers
            .for_each_concurrent(AT_ONCE, async |(feed, frames, subscription)| {
                let given = match subscription {
                    Ok(subscription) => self.give(subscription, frames).await,
                    Err(error) => Err(error),
                };
                if let Err(error) = given {
                    failed(feed, error);
                }
            })
            .await;
        failures.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    async fn give(&self, mut subscription: Subscription, frames: &Frames) -> Result<()> {
        let Some(&(last, _)) = frames.last() else { return Ok(()) };
        loop {
            let Some(from) = subscription.from else {
                if subscription.held_at + HELLO_ENDS < Timestamp::now() {
                    // Nobody will replay it. The client comes back and says hello again.
                    self.end(&subscription.connection).await?;
                    return self.connections.unsubscribe(&subscription.feed, &subscription.connection).await;
                }
                match self.connections.skip(&subscription, last).await? {
                    Skip::Noted | Skip::Gone => return Ok(()),
                    Skip::Look(now) => subscription = *now,
                }
                continue;
            };
            let new: Vec<&[u8]> =
                frames.iter().filter(|(seq, _)| *seq > from).map(|(_, frame)| frame.as_slice()).collect();
            if !self.send(&subscription.connection, &new).await? {
                // A hello that came too late for the socket's own clean-up may have left it.
                self.connections.unsubscribe(&subscription.feed, &subscription.connection).await?;
            }
            return Ok(());
        }
    }
}
