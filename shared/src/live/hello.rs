//! Hello: a client says what it has seen, gets what it missed, and from then on what is appended,
//! without a gap and without a double.
//!
//! Hello first holds the socket's subscriptions, then reads the feeds' last numbers, and replays up
//! to them ([`super::replay`]). What is appended meanwhile is noted on the held subscription by
//! whoever would have pushed it ([`crate::store::Subscription`]).

use std::collections::BTreeMap;
use std::time::Instant;

use futures::future::try_join_all;
use jiff::Timestamp;

use super::push::Push;
use super::{Live, frame};
use crate::domain::feed::Feed;
use crate::domain::user::User;
use crate::error::{Error, Result, catalogue};
use crate::store::{Connection, Subscription, hold};

impl<P: Push> Live<P> {
    /// Answers a hello: the welcome, an error for each feed of `after` that can't be followed from
    /// there, then all entries after the numbers given, with an error (`feed_number_too_old`) in
    /// the place of those that are not kept any more. A feed that `after` does not name starts with
    /// what is appended from now on.
    ///
    /// # Errors
    /// When the feeds could not be replayed: the socket misses entries then, and is to be closed. A
    /// user who may not be here any more (`account_suspended`, `invalid_token`) is such an error,
    /// too.
    pub async fn hello(
        &self,
        connection: &Connection,
        after: &BTreeMap<String, u64>,
        now: Timestamp,
    ) -> Result<()> {
        let started = Instant::now();
        let user = self.admit(connection, now).await?;
        let feeds = Feed::of(&user);
        if !self.subscribe(connection, &feeds).await? {
            return Ok(());
        }
        let hold = hold()?;
        let held: Vec<_> = feeds
            .iter()
            .map(|feed| Subscription::held(connection, feed.clone(), &hold, now))
            .collect();
        self.connections.hold(&held).await?;
        // Not before they are held: what is appended after this read finds them.
        let heads = self.store.feed_heads(&feeds).await?;

        let heads: BTreeMap<String, u64> =
            heads.into_iter().map(|(feed, last)| (feed.to_string(), last)).collect();
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
        let standing = self.store.auth_state(&connection.user_id, &connection.session_id).await?;
        let signed_in = standing.is_signed_in(now);
        let user = standing.account.map(|account| account.user);
        match user {
            Some(user) if !user.is_active() => Err(Error::new(
                &catalogue::ACCOUNT_SUSPENDED,
                "This account is suspended. Ask an administrator.",
            )),
            Some(user) if signed_in => Ok(user),
            _ => Err(Error::new(&catalogue::INVALID_TOKEN, "You are signed out. Sign in again.")),
        }
    }

    /// Notes what the socket gets, and ends what it got from an earlier hello and may not get any
    /// more; `false` when it is closed.
    async fn subscribe(&self, connection: &Connection, feeds: &[Feed]) -> Result<bool> {
        for lost in connection.feeds.iter().filter(|feed| !feeds.contains(feed)) {
            self.connections.unsubscribe(lost, &connection.id).await?;
        }
        self.connections.set_feeds(&connection.id, feeds).await
    }
}

/// Why a feed can't be followed after this number, if it can't: it is none of the user's, or has
/// not come as far.
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
