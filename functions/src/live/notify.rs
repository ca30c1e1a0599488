//! `live-notify`: the stream function that notifies users. It appends order events, messages and
//! broadcasts to the feeds of everyone concerned. The appended entry is a second record of the same
//! stream, and is then pushed to their sockets: a crash between the two steps loses nothing, and
//! pushes keep the order of the feed. It also closes the sockets of users who may no longer be
//! connected.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_lambda_events::dynamodb::EventRecord;
use futures::{StreamExt, stream};
use shared::domain::feed::Feed;
use shared::domain::ids::UserId;
use shared::domain::order::Order;
use shared::error::{Error, Result, catalogue};
use shared::live::fan_out::FanOut;
use shared::live::push::Push;
use shared::store::{
    Account, Broadcast, Entity, Entry, Message, NewEntry, Session, Store, from_image,
};
use tokio::time::{Instant, sleep};

use super::entry;
use crate::runtime::events::{Failure, sequence_number};

/// How many feeds are appended to at the same time.
const CONCURRENCY: usize = 16;
/// How long to retry an append while the database is unavailable. The stream gives up on a record
/// after ten failures, and its entry would be missing forever, so the function waits for the outage
/// to end. Shorter than the function's `Timeout`.
const TIME_LIMIT: Duration = Duration::from_secs(4 * 60);
/// The longest wait between two attempts.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// Handles a batch: first all appends, in order within each feed; then the sockets to close; then
/// all pushes, in order within each feed.
///
/// # Errors
/// Names the first record that was not handled. Later records may have been handled by then.
/// Handling them again is harmless: appending twice changes nothing, and clients recognize a
/// repeated entry by its number.
pub async fn handle(
    context: &FanOut,
    records: Vec<EventRecord>,
) -> std::result::Result<(), Failure> {
    notify(context, records).await
}

/// Like [`handle`], with any client that posts to sockets.
pub(crate) async fn notify<P: Push>(
    context: &FanOut<P>,
    records: Vec<EventRecord>,
) -> std::result::Result<(), Failure> {
    let sequences: Vec<_> = records.iter().map(sequence_number).collect();
    let mut work = Work::default();
    let mut failures = Failures::default();
    for (at, record) in records.into_iter().enumerate() {
        if let Err(error) = work.add(at, record) {
            failures.add(at, error);
            break;
        }
    }
    work.append(context, &mut failures).await;
    work.close(context, &mut failures).await;
    work.push(context, &mut failures).await;
    match failures.first {
        None => Ok(()),
        Some((at, error)) => Err(Failure { at: sequences.into_iter().nth(at).flatten(), error }),
    }
}

/// The work of a batch. Each item has the index of its record.
#[derive(Default)]
struct Work {
    appends: BTreeMap<Feed, Vec<(usize, NewEntry)>>,
    leavers: Vec<(usize, Leaver)>,
    entries: Vec<(usize, Entry)>,
}

/// The sockets to close.
enum Leaver {
    /// All sockets of a user.
    User(UserId),
    /// The sockets of one session.
    Session(UserId, String),
    /// The sockets of all sessions but one.
    Others(UserId, Option<String>),
}

/// The first record that failed. Lambda delivers it and all later ones again.
#[derive(Default)]
struct Failures {
    first: Option<(usize, Error)>,
}

impl Failures {
    fn add(&mut self, at: usize, error: Error) {
        if self.precedes(at) {
            tracing::warn!(code = error.code().code, "another record of the batch failed too");
        } else {
            self.first = Some((at, error));
        }
    }

    /// Whether an earlier record failed, so that the record at this index will be delivered again.
    fn precedes(&self, at: usize) -> bool {
        self.first.as_ref().is_some_and(|(first, _)| *first <= at)
    }
}

impl Work {
    fn add(&mut self, at: usize, record: EventRecord) -> Result<()> {
        let (old, new) = (record.change.old_image, record.change.new_image);
        let is_new = record.event_name == "INSERT";
        // Nobody is notified of deletions, such as those by TTL.
        let Some(serde_dynamo::AttributeValue::S(entity)) = new.get("entity") else {
            return Ok(());
        };
        match entity.as_str() {
            Order::ENTITY => {
                let before = if old.is_empty() { 0 } else { from_image::<Order>(old)?.version };
                self.add_appends(at, entry::of_order(&from_image(new)?, before)?);
            }
            Message::ENTITY if is_new => {
                self.add_appends(at, [entry::of_message(&from_image(new)?)?])
            }
            Broadcast::ENTITY if is_new => {
                self.add_appends(at, [entry::of_broadcast(&from_image(new)?)])
            }
            Entry::ENTITY if is_new => self.entries.push((at, from_image(new)?)),
            Session::ENTITY => {
                let session: Session = from_image(new)?;
                if session.revoked_at.is_some() {
                    self.leavers.push((at, Leaver::Session(session.user_id, session.id)));
                }
            }
            Account::ENTITY if !old.is_empty() => {
                let (old, new) = (from_image::<Account>(old)?, from_image::<Account>(new)?);
                // The user was suspended, or has another role or other categories. Clients that may
                // reconnect do, and subscribe to their current feeds.
                if Feed::of(&old.user) != Feed::of(&new.user) {
                    self.leavers.push((at, Leaver::User(new.user.id)));
                } else if old.generation != new.generation {
                    self.leavers.push((at, Leaver::Others(new.user.id, new.kept_session)));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn add_appends(&mut self, at: usize, appends: impl IntoIterator<Item = (Feed, NewEntry)>) {
        for (feed, entry) in appends {
            self.appends.entry(feed).or_default().push((at, entry));
        }
    }

    async fn append<P: Push>(&mut self, context: &FanOut<P>, failures: &mut Failures) {
        let appends = std::mem::take(&mut self.appends).into_iter().map(async |(feed, appends)| {
            let at = appends.first().map_or(0, |(at, _)| *at);
            let appends: Vec<_> = appends.into_iter().map(|(_, entry)| entry).collect();
            (at, append(&context.live.store, &feed, &appends).await)
        });
        let appended: Vec<_> = stream::iter(appends).buffer_unordered(CONCURRENCY).collect().await;
        for (at, appended) in appended {
            if let Err(error) = appended {
                failures.add(at, error);
            }
        }
    }

    async fn close<P: Push>(&mut self, context: &FanOut<P>, failures: &mut Failures) {
        for (at, leaver) in std::mem::take(&mut self.leavers) {
            let closed = match &leaver {
                Leaver::User(user) => context.live.close_all(user).await,
                Leaver::Session(user, session) => context.live.close_session(user, session).await,
                Leaver::Others(user, kept) => {
                    context.live.close_all_except(user, kept.as_deref()).await
                }
            };
            if let Err(error) = closed {
                failures.add(at, error);
            }
        }
    }

    async fn push<P: Push>(&mut self, context: &FanOut<P>, failures: &mut Failures) {
        let mut places = BTreeMap::new();
        // Its entry is pushed when the record is delivered again.
        self.entries.retain(|(at, _)| !failures.precedes(*at));
        for (at, entry) in &self.entries {
            places.entry(entry.feed.clone()).or_insert(*at);
        }
        let entries = std::mem::take(&mut self.entries).into_iter().map(|(_, entry)| entry);
        for (feed, error) in context.deliver(entries).await {
            failures.add(places.get(&feed).copied().unwrap_or(0), error);
        }
    }
}

/// Appends entries to a feed, and waits for an outage of the database to end.
async fn append(store: &Store, feed: &Feed, appends: &[NewEntry]) -> Result<()> {
    let until = Instant::now() + TIME_LIMIT;
    let mut wait = Duration::from_millis(100);
    loop {
        match store.append(feed, appends).await {
            Err(error)
                if *error.code() == catalogue::DATABASE_UNAVAILABLE
                    && Instant::now() + wait < until =>
            {
                tracing::warn!(%feed, error = error.cause(), "failed to append to feed {feed}, retrying in {wait:?}");
                sleep(wait).await;
                wait = (wait * 2).min(LONGEST_WAIT);
            }
            done => return done,
        }
    }
}
