//! `live-notify`: the stream function that notifies users. It appends order events, messages and
//! broadcasts to the feeds of everyone concerned. The appended entry is a second record of the same
//! stream, and this function pushes it to their sockets when that record arrives. So a crash
//! between the two steps loses nothing, and pushes keep the order of the feed. The function also
//! closes the sockets of users who may no longer be connected.

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
use tracing::field::display;
use tracing::{Instrument, Span};

use super::entry;
use crate::runtime::events::{Failure, RecordRef};

/// How many feeds are appended to at the same time.
const CONCURRENCY: usize = 16;
/// How long to retry an append while the database is unavailable. The function waits for the outage
/// to end, because the stream gives up on a record after ten retries, and then its entry would be
/// missing forever. Shorter than the function's `Timeout`.
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
    let references: Vec<_> = records.iter().map(RecordRef::of).collect();
    let mut work = Work::default();
    let mut failures = Failures::new(&references);
    for (at, record) in records.into_iter().enumerate() {
        let added = references[at].span.in_scope(|| work.add(at, record));
        if let Err(error) = added {
            failures.add(at, error);
            break;
        }
    }
    work.append(context, &mut failures).await;
    work.close(context, &mut failures).await;
    work.push(context, &mut failures).await;
    failures.into_result()
}

/// The work of a batch. Each item has the index of its record.
#[derive(Default)]
struct Work {
    appends: BTreeMap<Feed, Vec<(usize, NewEntry)>>,
    sockets_to_close: Vec<(usize, SocketsToClose)>,
    entries: Vec<(usize, Entry)>,
}

/// Sockets to close.
enum SocketsToClose {
    /// All sockets of a user.
    All(UserId),
    /// The sockets of one session.
    Session(UserId, String),
    /// All sockets of a user except those of one session, if there is one to keep.
    AllButOne(UserId, Option<String>),
}

/// The first record that failed. Lambda delivers it and all later ones again.
struct Failures<'r> {
    records: &'r [RecordRef],
    first: Option<(usize, Error)>,
}

impl<'r> Failures<'r> {
    fn new(records: &'r [RecordRef]) -> Self {
        Self { records, first: None }
    }

    fn add(&mut self, at: usize, error: Error) {
        if self.is_redelivered(at) {
            self.records[at].span.in_scope(|| {
                tracing::warn!(code = error.code().code, "another record of the batch failed too")
            });
        } else {
            self.first = Some((at, error));
        }
    }

    fn into_result(self) -> std::result::Result<(), Failure> {
        match self.first {
            None => Ok(()),
            Some((at, error)) => Err(Failure { record: Box::new(self.records[at].clone()), error }),
        }
    }

    /// Whether the record at this index or an earlier one failed, so that Lambda will deliver it
    /// again.
    fn is_redelivered(&self, at: usize) -> bool {
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
                let order: Order = from_image(new)?;
                Span::current().record("order", display(&order.id));
                self.add_appends(at, entry::of_order(&order, before)?);
            }
            Message::ENTITY if is_new => {
                let message: Message = from_image(new)?;
                Span::current().record("order", display(&message.order_id));
                self.add_appends(at, [entry::of_message(&message)?])
            }
            Broadcast::ENTITY if is_new => {
                self.add_appends(at, [entry::of_broadcast(&from_image(new)?)])
            }
            Entry::ENTITY if is_new => {
                let entry = from_image(new)?;
                Span::current().record("order", entry::order_id(&entry));
                self.entries.push((at, entry));
            }
            Session::ENTITY => {
                let session: Session = from_image(new)?;
                if session.revoked_at.is_some() {
                    self.sockets_to_close
                        .push((at, SocketsToClose::Session(session.user_id, session.id)));
                }
            }
            Account::ENTITY if !old.is_empty() => {
                let (old, new) = (from_image::<Account>(old)?, from_image::<Account>(new)?);
                // The user is no longer active, is active again, or has another role or other
                // categories. A client that may still connect then reconnects, and subscribes to
                // its user's current feeds.
                if Feed::of(&old.user) != Feed::of(&new.user) {
                    self.sockets_to_close.push((at, SocketsToClose::All(new.user.id)));
                } else if old.generation != new.generation {
                    self.sockets_to_close
                        .push((at, SocketsToClose::AllButOne(new.user.id, new.kept_session)));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn add_appends(&mut self, at: usize, appends: impl IntoIterator<Item = (Feed, NewEntry)>) {
        for (feed, entry) in appends {
            tracing::info!(%feed, kind = entry.kind.as_str(), "{} for {feed}", entry.kind.as_str());
            self.appends.entry(feed).or_default().push((at, entry));
        }
    }

    async fn append<P: Push>(&mut self, context: &FanOut<P>, failures: &mut Failures<'_>) {
        let records = failures.records;
        let appends = std::mem::take(&mut self.appends).into_iter().map(async |(feed, appends)| {
            let at = appends.first().map_or(0, |(at, _)| *at);
            let appends: Vec<_> = appends.into_iter().map(|(_, entry)| entry).collect();
            let span = records[at].span.clone();
            (at, append(&context.live.store, &feed, &appends).instrument(span).await)
        });
        let appended: Vec<_> = stream::iter(appends).buffer_unordered(CONCURRENCY).collect().await;
        for (at, appended) in appended {
            if let Err(error) = appended {
                failures.add(at, error);
            }
        }
    }

    async fn close<P: Push>(&mut self, context: &FanOut<P>, failures: &mut Failures<'_>) {
        for (at, sockets) in std::mem::take(&mut self.sockets_to_close) {
            let closed = match &sockets {
                SocketsToClose::All(user) => context.live.close_all(user).await,
                SocketsToClose::Session(user, session) => {
                    context.live.close_session(user, session).await
                }
                SocketsToClose::AllButOne(user, session) => {
                    context.live.close_all_except(user, session.as_deref()).await
                }
            };
            if let Err(error) = closed {
                failures.add(at, error);
            }
        }
    }

    async fn push<P: Push>(&mut self, context: &FanOut<P>, failures: &mut Failures<'_>) {
        let mut first_records = BTreeMap::new();
        // Records after a failure are delivered again, and their entries are pushed then.
        self.entries.retain(|(at, _)| !failures.is_redelivered(*at));
        for (at, entry) in &self.entries {
            first_records.entry(entry.feed.clone()).or_insert(*at);
        }
        let entries = std::mem::take(&mut self.entries).into_iter().map(|(_, entry)| entry);
        for (feed, error) in context.deliver(entries).await {
            failures.add(first_records.get(&feed).copied().unwrap_or(0), error);
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
            result => return result,
        }
    }
}
