//! Replay: what a socket missed of a feed, in pages, until it is where the feed is. Both hello and
//! catch-up end with it.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::push::Push;
use super::{Live, frame};
use crate::domain::feed::Feed;
use crate::error::{Error, Result, catalogue};
use crate::store::{FeedPage, Live as Stage, Missed, Subscription};

/// Entries that one read of a replay brings.
const PAGE: usize = 100;
/// How long one replay goes on. What is left then the client gets after saying hello again; its
/// function ends soon after this.
const PATIENCE: Duration = Duration::from_secs(18);

impl<P: Push> Live<P> {
    /// Hands over the entries after `seen` up to `last`, and those that come meanwhile, then goes
    /// live, which fails until nothing is left.
    ///
    /// # Errors
    /// `replay_unfinished` when time is up; the socket misses entries then, and is to be closed.
    /// When the database is unavailable.
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
                for frame in replayed(&held.feed, &page)? {
                    // Looked at for each frame: the client decides how long one takes.
                    if started.elapsed() > PATIENCE {
                        let detail = "There is more. Connect again and say hello with the numbers you have now.";
                        return Err(Error::new(&catalogue::REPLAY_UNFINISHED, detail));
                    }
                    if !self.send(&held.connection, &[&frame]).await? {
                        return Ok(());
                    }
                }
            }
            match self.connections.go_live(held, position).await? {
                Stage::Yes | Stage::Over => return Ok(()),
                Stage::Behind(skipped) => last = skipped,
            }
        }
    }
}

/// A page as frames: its entries, and an error where some are missing.
fn replayed(feed: &Feed, page: &FeedPage) -> Result<Vec<Vec<u8>>> {
    let mut frames = Vec::new();
    let mut missed = page.missed.iter().peekable();
    for entry in &page.items {
        while let Some(gone) = missed.next_if(|gone| gone.to < entry.seq) {
            frames.push(frame::error(&too_old(feed, gone))?);
        }
        frames.push(serde_json::to_vec(entry).map_err(Error::internal)?);
    }
    for gone in missed {
        frames.push(frame::error(&too_old(feed, gone))?);
    }
    Ok(frames)
}

/// Entries that the client missed are too old to be kept. It can't know that from a number that is
/// missing: that may be a lost frame.
fn too_old(feed: &Feed, gone: &Missed) -> Error {
    let detail = "Entries that you have not seen are not kept any more. Load anew what you make of them, and go on from `oldest`.";
    let oldest = gone.to.saturating_add(1);
    Error::new(&catalogue::FEED_NUMBER_TOO_OLD, detail)
        .with("feed", feed.to_string())
        .with("oldest", oldest)
}
