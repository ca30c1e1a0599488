//! Replay: sends a socket the entries of a feed that it missed, page by page, until it has caught
//! up. Both hello and catch-up end with a replay.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::push::Push;
use super::{LiveService, frame};
use crate::domain::feed::Feed;
use crate::error::{Error, Result, catalogue};
use crate::store::{FeedPage, GoLiveOutcome, Missed, Subscription};

/// How many entries one read returns.
const PAGE: usize = 100;
/// The time limit of a replay, which is shorter than the `Timeout` of its function. The client gets
/// the rest when it reconnects.
const TIME_LIMIT: Duration = Duration::from_secs(18);

impl<P: Push> LiveService<P> {
    /// Sends the entries after `seen` up to `last`, then those that were appended in the meantime,
    /// until the socket has them all and the subscription goes live.
    ///
    /// # Errors
    /// - `replay_unfinished` if the time is up. The socket misses entries then and must be closed.
    /// - `database_unavailable` when DynamoDB is down or throttles, internal when it fails
    ///   otherwise
    pub(super) async fn replay(
        &self,
        held: &Subscription,
        seen: u64,
        mut last: u64,
        started: Instant,
    ) -> Result<()> {
        let mut position = seen;
        loop {
            while position < last {
                let page = self
                    .store
                    .feed_after(&held.feed, position, last, PAGE, Timestamp::now())
                    .await?;
                position = page.next;
                for frame in frames(&held.feed, &page)? {
                    // The time is checked before each frame, because a slow client can make one
                    // frame take long.
                    if started.elapsed() > TIME_LIMIT {
                        let detail = "There are more entries. Reconnect and send a hello with the \
                                      numbers you have now.";
                        return Err(Error::new(&catalogue::REPLAY_UNFINISHED, detail));
                    }
                    if !self.send(&held.connection, &[&frame]).await? {
                        return Ok(());
                    }
                }
            }
            match self.connections.go_live(held, position).await? {
                GoLiveOutcome::Live | GoLiveOutcome::Superseded => return Ok(()),
                GoLiveOutcome::Behind(skipped) => last = skipped,
            }
        }
    }
}

/// Returns the frames for a page: its entries, and an error in place of each range of missing ones.
fn frames(feed: &Feed, page: &FeedPage) -> Result<Vec<Vec<u8>>> {
    let mut frames = Vec::new();
    let mut missed = page.missed.iter().peekable();
    for entry in &page.items {
        while let Some(range) = missed.next_if(|range| range.to < entry.seq) {
            frames.push(frame::error(&too_old(feed, range))?);
        }
        frames.push(serde_json::to_vec(entry).map_err(Error::internal)?);
    }
    for range in missed {
        frames.push(frame::error(&too_old(feed, range))?);
    }
    Ok(frames)
}

/// Returns the error that tells a client that entries it missed are no longer stored. Without it,
/// the client could not tell deleted entries from lost frames.
fn too_old(feed: &Feed, missed: &Missed) -> Error {
    let detail = "Entries that you have not seen are no longer available. Reload the data that you \
                  derive from them and continue from `oldest`.";
    let oldest = missed.to.saturating_add(1);
    Error::new(&catalogue::FEED_NUMBER_TOO_OLD, detail)
        .with_member("feed", feed.to_string())
        .with_member("oldest", oldest)
}
