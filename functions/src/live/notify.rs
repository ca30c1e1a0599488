//! `live-notify`: the stream function that tells people. What happened to an order, a message, a
//! broadcast is appended to the feeds of those concerned; what was appended is pushed to their
//! sockets, as a second record of the same stream. So a crash between the two loses nothing, and a
//! feed's pushes keep its order. And whoever may not be connected any more is disconnected.

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
use crate::runtime::events::{Failure, sequence};

/// Feeds that are appended to at the same time.
const AT_ONCE: usize = 16;
/// How long an append is tried while the database is not available. The stream gives a record up
/// after ten failures, whatever they are, and its entry would be missing for good: so an outage is
/// waited for here. Shorter than the function's `Timeout`.
const PATIENCE: Duration = Duration::from_secs(4 * 60);
/// The longest wait between two tries.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// Handles a batch: first all appends, each feed's in order, then whose sockets are to be closed,
/// then all pushes, each feed's in order.
///
/// # Errors
/// Names the first record that was not handled. What later records ask for may be done by then:
/// appending again changes nothing, and a client tells an entry it has by its number.
pub async fn handle(
    context: &FanOut,
    records: Vec<EventRecord>,
) -> std::result::Result<(), Failure> {
    notify(context, records).await
}

/// As [`handle`], whatever the way to the sockets is.
pub(crate) async fn notify<P: Push>(
    context: &FanOut<P>,
    records: Vec<EventRecord>,
) -> std::result::Result<(), Failure> {
    let sequences: Vec<_> = records.iter().map(sequence).collect();
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

/// What a batch asks for, each with the place of its record.
#[derive(Default)]
struct Work {
    drafts: BTreeMap<Feed, Vec<(usize, NewEntry)>>,
    leavers: Vec<(usize, Leaver)>,
    entries: Vec<(usize, Entry)>,
}

/// Whose sockets are to be closed.
enum Leaver {
    /// All of a user's.
    User(UserId),
    /// Those of one sign-in.
    Session(UserId, String),
    /// Those of all sign-ins but the one that goes on.
    Others(UserId, Option<String>),
}

/// The first of the records that failed: it and all after it come again.
#[derive(Default)]
struct Failures {
    first: Option<(usize, Error)>,
}

impl Failures {
    fn add(&mut self, at: usize, error: Error) {
        if self.precedes(at) {
            tracing::warn!(code = error.code().code, "another record of the batch failed as well");
        } else {
            self.first = Some((at, error));
        }
    }

    /// Whether something before the record at this place failed, so that this one comes again.
    fn precedes(&self, at: usize) -> bool {
        self.first.as_ref().is_some_and(|(first, _)| *first <= at)
    }
}

impl Work {
    fn add(&mut self, at: usize, record: EventRecord) -> Result<()> {
        let (old, new) = (record.change.old_image, record.change.new_image);
        let is_new = record.event_name == "INSERT";
        // Deletions, by TTL for instance, tell nobody anything.
        let Some(serde_dynamo::AttributeValue::S(entity)) = new.get("entity") else {
            return Ok(());
        };
        match entity.as_str() {
            Order::ENTITY => {
                let before = if old.is_empty() { 0 } else { from_image::<Order>(old)?.version };
                self.add_drafts(at, entry::of_order(&from_image(new)?, before)?);
            }
            Message::ENTITY if is_new => {
                self.add_drafts(at, [entry::of_message(&from_image(new)?)?])
            }
            Broadcast::ENTITY if is_new => {
                self.add_drafts(at, [entry::of_broadcast(&from_image(new)?)])
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
                // Suspended, or given another role or other categories: whoever may come back does,
                // and reads what is theirs now.
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

    fn add_drafts(&mut self, at: usize, drafts: impl IntoIterator<Item = (Feed, NewEntry)>) {
        for (feed, draft) in drafts {
            self.drafts.entry(feed).or_default().push((at, draft));
        }
    }

    async fn append<P: Push>(&mut self, context: &FanOut<P>, failures: &mut Failures) {
        let appends = std::mem::take(&mut self.drafts).into_iter().map(async |(feed, drafts)| {
            let at = drafts.first().map_or(0, |(at, _)| *at);
            let drafts: Vec<_> = drafts.into_iter().map(|(_, draft)| draft).collect();
            (at, append(&context.live.store, &feed, &drafts).await)
        });
        let appended: Vec<_> = stream::iter(appends).buffer_unordered(AT_ONCE).collect().await;
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
                    context.live.close_others(user, kept.as_deref()).await
                }
            };
            if let Err(error) = closed {
                failures.add(at, error);
            }
        }
    }

    async fn push<P: Push>(&mut self, context: &FanOut<P>, failures: &mut Failures) {
        let mut places = BTreeMap::new();
        // What comes again is pushed then.
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

/// Appends events to a feed, if need be after an outage of the database.
async fn append(store: &Store, feed: &Feed, drafts: &[NewEntry]) -> Result<()> {
    let until = Instant::now() + PATIENCE;
    let mut wait = Duration::from_millis(100);
    loop {
        match store.append(feed, drafts).await {
            Err(error)
                if *error.code() == catalogue::DATABASE_UNAVAILABLE
                    && Instant::now() + wait < until =>
            {
                tracing::warn!(%feed, error = error.cause(), "feed {feed} can't be appended to: again in {wait:?}");
                sleep(wait).await;
                wait = (wait * 2).min(LONGEST_WAIT);
            }
            done => return done,
        }
    }
}
