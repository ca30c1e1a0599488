//! Hello: a client says what it has seen, gets what it missed, and from then on what is appended, without a gap and without a double.
//!
//! Hello first holds the socket's subscriptions, then reads the feeds' last numbers, replays up to them, and goes live from there. What is
//! appended meanwhile is noted on the held subscription by whoever would have pushed it, and going live fails until it is replayed, too
//! ([`crate::store::Subscription`]).

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use data_encoding::BASE64URL_NOPAD;
use futures::future::try_join_all;
use jiff::Timestamp;

use super::push::Push;
use super::{Live, frame};
use crate::auth::random;
use crate::domain::feed::Feed;
use crate::domain::user::User;
use crate::error::{Error, Result, catalogue};
use crate::store::{Connection, FeedPage, Live as Stage, Missed, Subscription};

/// Entries that one read of a replay brings.
const PAGE: usize = 100;
/// How long one hello replays. What is left then the client gets after saying hello again; its function ends soon after this.
const PATIENCE: Duration = Duration::from_secs(18);

impl<P: Push> Live<P> {
    /// Answers a hello: the welcome, an error for each feed of `after` that can't be followed from there, then all entries after the numbers
    /// given, with an error (`feed_number_too_old`) in the place of those that are not kept any more. A feed that `after` does not name
    /// starts with what is appended from now on.
    ///
    /// # Errors
    /// When the feeds could not be replayed: the socket misses entries then, and is to be closed. A user who may not be here any more
    /// (`account_suspended`, `invalid_token`) is such an error, too.
    pub async fn hello(&self, connection: &Connection, after: &BTreeMap<String, u64>, now: Timestamp) -> Result<()> {
        let started = Instant::now();
        let user = self.admit(connection, now).await?;
        let feeds = Feed::of(&user);
        if !self.subscribe(connection, &feeds).await? {
            return Ok(());
        }
        let hello = BASE64URL_NOPAD.encode(&random::<12>()?);
        let held: Vec<_> = feeds.iter().map(|feed| Subscription::held(connection, feed.clone(), &hello, now)).collect();
        self.connections.hold(&held).await?;
        // Not before they are held: what is appended after this read finds them.
        let heads = self.store.feed_heads(&feeds).await?;

        let heads: BTreeMap<String, u64> = heads.into_iter().map(|(feed, last)| (feed.to_string(), last)).collect();
        let mut frames = vec![frame::welcome(&user.id, user.role, &heads)?];
        for problem in after.iter().filter_map(|(feed, n)| refusal(feed, *n, &heads)) {
            frames.push(frame::error(&problem)?);
        }
        let frames: Vec<&[u8]> = frames.iter().map(Vec::as_slice).collect();
        if !self.send(&connection.id, &frames).await? {
            return Ok(());
        }
        let mut replays = Vec::new();
        for subscription in &held {
            let name = subscription.feed.to_string();
            let last = heads.get(&name).copied().unwrap_or_default();
            let seen = after.get(&name).copied().unwrap_or(last).min(last);
            replays.push(self.replay(subscription, seen, last, started));
        }
        try_join_all(replays).await.map(drop)
    }

    /// The user as of now, if still signed in and active.
    async fn admit(&self, connection: &Connection, now: Timestamp) -> Result<User> {
        let standing = self.store.standing(&connection.user_id, &connection.session_id).await?;
        let signed_in = standing.is_signed_in(now);
        let user = standing.account.map(|account| account.user);
        match user {
            Some(user) if !user.is_active() => {
                Err(Error::new(&catalogue::ACCOUNT_SUSPENDED, "This account is suspended. Ask an administrator."))
            }
            Some(user) if signed_in => Ok(user),
            _ => Err(Error::new(&catalogue::INVALID_TOKEN, "You are signed out. Sign in again.")),
        }
    }

    /// Notes what the socket gets, and ends what it got from an earlier hello and may not get any more; `false` when it is closed.
    async fn subscribe(&self, connection: &Connection, feeds: &[Feed]) -> Result<bool> {
        for lost in connection.feeds.iter().filter(|feed| !feeds.contains(feed)) {
            self.connections.unsubscribe(lost, &connection.id).await?;
        }
        self.connections.set_feeds(&connection.id, feeds).await
    }

    /// Hands over the entries after `seen` up to `last`, and those that come meanwhile, then goes live.
    async fn replay(&self, held: &Subscription, seen: u64, mut last: u64, started: Instant) -> Result<()> {
        let mut position = seen;
        loop {
            while position < last {
                if started.elapsed() > PATIENCE {
                    let detail = "There is more. Connect again and say hello with the numbers you have now.";
                    return Err(Error::new(&catalogue::REPLAY_UNFINISHED, detail));
                }
                let page = self.store.feed_after(&held.feed, position, last, PAGE, Timestamp::now()).await?;
                position = page.next;
                let frames = replayed(&held.feed, &page)?;
                let frames: Vec<&[u8]> = frames.iter().map(Vec::as_slice).collect();
                if !self.send(&held.connection, &frames).await? {
                    return Ok(());
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

/// Entries that the client missed are too old to be kept. It can't know that from a number that is missing: that may be a lost frame.
fn too_old(feed: &Feed, gone: &Missed) -> Error {
    let detail = "Entries that you have not seen are not kept any more. Load anew what you make of them, and go on from `oldest`.";
    let oldest = gone.to.saturating_add(1);
    Error::new(&catalogue::FEED_NUMBER_TOO_OLD, detail).with("feed", feed.to_string()).with("oldest", oldest)
}

/// Why a feed can't be followed after this number, if it can't: it is none of the user's, or has not come as far.
fn refusal(feed: &str, n: u64, heads: &BTreeMap<String, u64>) -> Option<Error> {
    let (code, detail) = match (heads.get(feed), Feed::parse(feed)) {
        (Some(&last), _) if n <= last => return None,
        (Some(_), _) => (
            &catalogue::FEED_NUMBER_AHEAD,
            "The feed has not come as far as that. You get what is appended from now on; forget your number.",
        ),
        (None, Ok(_)) => (&catalogue::FORBIDDEN, "This feed is not for you to read."),
        (None, Err(_)) => (&catalogue::NOT_FOUND, "There is no such feed."),
    };
    Some(Error::new(code, detail).with("feed", feed))
}
