//! Hello: a client says which entries it has seen. It gets the entries that it missed and then
//! every new one, without gaps or duplicates.
//!
//! A hello first stores held subscriptions, then reads each feed's last number, and replays the
//! entries up to it ([`super::replay`]). If entries are appended in the meantime, their pusher
//! records that in the held subscription ([`crate::store::Subscription`]).

use std::collections::BTreeMap;
use std::time::Instant;

use futures::future::try_join_all;
use jiff::Timestamp;

use super::push::Push;
use super::{LiveService, frame};
use crate::domain::feed::Feed;
use crate::domain::user::User;
use crate::error::{Error, Result, catalogue};
use crate::store::{Connection, Subscription, new_hold};

impl<P: Push> LiveService<P> {
    /// Answers a hello. Sends the welcome, then an error for each feed in `after` that can't be
    /// followed from the given number, then all entries after the given numbers. An error
    /// (`feed_number_too_old`) takes the place of entries that are no longer kept. Feeds that are
    /// not in `after` start with the next new entry.
    ///
    /// # Errors
    /// After any error the socket misses entries and must be closed.
    ///
    /// - `account_suspended` or `invalid_token` if the user may no longer be connected
    /// - `replay_unfinished` if the replay takes too long
    /// - `database_unavailable` when DynamoDB is down or throttles, internal when it fails
    ///   otherwise
    pub async fn hello(
        &self,
        connection: &Connection,
        after: &BTreeMap<String, u64>,
        now: Timestamp,
    ) -> Result<()> {
        let started = Instant::now();
        let user = self.authorize(connection, now).await?;
        let feeds = Feed::of(&user);
        if !self.subscribe(connection, &feeds).await? {
            return Ok(());
        }
        let hold = new_hold()?;
        let held: Vec<_> = feeds
            .iter()
            .map(|feed| Subscription::held(connection, feed.clone(), &hold, now))
            .collect();
        self.connections.put_subscriptions(&held).await?;
        // The subscriptions must be stored before this read. Then the pusher of any entry that is
        // appended after it finds them.
        let heads = self.store.feed_heads(&feeds).await?;

        let heads: BTreeMap<String, u64> =
            heads.into_iter().map(|(feed, last)| (feed.to_string(), last)).collect();
        let mut frames = vec![frame::welcome(&user.id, user.role, &heads)?];
        for error in after.iter().filter_map(|(feed, n)| feed_error(feed, *n, &heads)) {
            frames.push(frame::error(&error)?);
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

    /// Reads the user, who must still be signed in and active.
    async fn authorize(&self, connection: &Connection, now: Timestamp) -> Result<User> {
        let auth_state = self.store.auth_state(&connection.user_id, &connection.session_id).await?;
        let signed_in = auth_state.is_signed_in(now);
        let user = auth_state.account.map(|account| account.user);
        match user {
            Some(user) if !user.is_active() => Err(Error::new(
                &catalogue::ACCOUNT_SUSPENDED,
                "This account is suspended. Ask an administrator.",
            )),
            Some(user) if signed_in => Ok(user),
            _ => Err(Error::new(&catalogue::INVALID_TOKEN, "You are signed out. Sign in again.")),
        }
    }

    /// Stores the socket's feeds, and deletes its subscriptions to feeds that the user may no
    /// longer read. Returns `false` if the socket was closed.
    async fn subscribe(&self, connection: &Connection, feeds: &[Feed]) -> Result<bool> {
        for former in connection.feeds.iter().filter(|feed| !feeds.contains(feed)) {
            self.connections.unsubscribe(former, &connection.id).await?;
        }
        self.connections.set_feeds(&connection.id, feeds).await
    }
}

/// Returns the error if a feed can't be followed from the number `n`: the user may not read the
/// feed, or it has not reached the number yet.
fn feed_error(feed: &str, n: u64, heads: &BTreeMap<String, u64>) -> Option<Error> {
    let (code, detail) = match (heads.get(feed), Feed::parse(feed)) {
        (Some(&last), _) if n <= last => return None,
        (Some(_), _) => (
            &catalogue::FEED_NUMBER_AHEAD,
            "The feed has not reached this number yet. Discard your number: you get the entries \
             from now on.",
        ),
        (None, Ok(_)) => (&catalogue::FORBIDDEN, "You may not read this feed."),
        (None, Err(_)) => (&catalogue::NOT_FOUND, "There is no such feed."),
    };
    Some(Error::new(code, detail).with_member("feed", feed))
}
