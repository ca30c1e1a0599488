//! Fixtures for live tests: sockets that record their frames, and users to open them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::LiveService;
use super::catch_up::CatchUp;
use super::fan_out::FanOut;
use super::push::{PostOutcome, Push};
use crate::domain::feed::{EntryKind, Feed};
use crate::domain::ids::{EntryId, UserId};
use crate::domain::text::Category;
use crate::domain::user::{Categories, Email, NewUser, Role, User, UserStatus, Username};
use crate::error::{Error, Result};
use crate::store::testing::tables;
use crate::store::{Account, Connection, Entry, FanOutTable, NewEntry, Session};

/// A [`Push`] that records the frames of every socket instead of sending them.
#[derive(Debug, Clone, Default)]
pub(super) struct Recorder(Arc<Mutex<Sockets>>);

#[derive(Debug, Default)]
struct Sockets {
    frames: HashMap<String, Vec<Value>>,
    /// Sockets that no longer exist.
    gone: HashSet<String>,
    /// Sockets that are open, but to which posts fail.
    stalled: HashSet<String>,
    /// How long posts to a socket take.
    slow: HashMap<String, Duration>,
    /// Sockets that can't be closed.
    unclosable: HashSet<String>,
    closed: Vec<String>,
    /// Holds up one entry: the connection id of its socket, its number, and its gate.
    gate: Option<(String, u64, Arc<Gate>)>,
}

/// Holds up one frame.
#[derive(Debug, Default)]
pub(super) struct Gate {
    reached: Notify,
    opened: Notify,
}

impl Gate {
    /// Waits until the frame arrives at the gate.
    pub(super) async fn reached(&self) {
        let reached = tokio::time::timeout(Duration::from_secs(20), self.reached.notified()).await;
        reached.expect("the frame is sent");
    }

    /// Lets the frame pass.
    pub(super) fn open(&self) {
        self.opened.notify_one();
    }
}

impl Push for Recorder {
    async fn post(&self, connection: &str, frame: &[u8]) -> Result<PostOutcome> {
        // Let other tasks run in between, as they would during a network request.
        tokio::task::yield_now().await;
        if let Some(gate) = self.take_gate(connection, frame) {
            gate.reached.notify_one();
            gate.opened.notified().await;
        }
        let delay = self.0.lock().unwrap().slow.get(connection).copied();
        if let Some(delay) = delay {
            tokio::time::sleep(delay).await;
        }
        let mut sockets = self.0.lock().unwrap();
        if sockets.stalled.contains(connection) {
            return Err(Error::internal("stalled"));
        }
        if sockets.gone.contains(connection) {
            return Ok(PostOutcome::Gone);
        }
        let frame = serde_json::from_slice(frame).unwrap();
        sockets.frames.entry(connection.to_owned()).or_default().push(frame);
        Ok(PostOutcome::Delivered)
    }

    async fn close(&self, connection: &str) -> Result<()> {
        let mut sockets = self.0.lock().unwrap();
        if sockets.unclosable.contains(connection) {
            return Err(Error::internal("unclosable"));
        }
        sockets.closed.push(connection.to_owned());
        sockets.gone.insert(connection.to_owned());
        Ok(())
    }
}

impl Recorder {
    /// Holds up the entry with this number on its way to a socket.
    pub(super) fn hold_up(&self, connection: &str, seq: u64) -> Arc<Gate> {
        let gate = Arc::new(Gate::default());
        self.0.lock().unwrap().gate = Some((connection.to_owned(), seq, Arc::clone(&gate)));
        gate
    }

    /// Returns the gate if it holds up this frame. Later frames pass.
    fn take_gate(&self, connection: &str, frame: &[u8]) -> Option<Arc<Gate>> {
        let frame: Value = serde_json::from_slice(frame).unwrap();
        let mut sockets = self.0.lock().unwrap();
        let held_up = sockets
            .gate
            .as_ref()
            .is_some_and(|(to, seq, _)| to == connection && frame["seq"] == *seq);
        if held_up { sockets.gate.take().map(|(.., gate)| gate) } else { None }
    }

    pub(super) fn frames(&self, connection: &str) -> Vec<Value> {
        self.0.lock().unwrap().frames.get(connection).cloned().unwrap_or_default()
    }

    pub(super) fn types(&self, connection: &str) -> Vec<String> {
        self.frames(connection)
            .iter()
            .map(|frame| frame["type"].as_str().unwrap().to_owned())
            .collect()
    }

    /// The numbers of a feed's entries that a socket has received.
    pub(super) fn numbers(&self, connection: &str, feed: &Feed) -> Vec<u64> {
        let feed = feed.to_string();
        self.frames(connection)
            .iter()
            .filter(|f| f["feed"] == feed.as_str())
            .filter_map(|f| f["seq"].as_u64())
            .collect()
    }

    /// Disconnects the socket without telling anyone: later posts find it gone.
    pub(super) fn disconnect(&self, connection: &str) {
        self.0.lock().unwrap().gone.insert(connection.to_owned());
    }

    /// Makes posts to the socket fail from now on.
    pub(super) fn stall(&self, connection: &str) {
        self.0.lock().unwrap().stalled.insert(connection.to_owned());
    }

    /// Makes posts to the socket take this long from now on.
    pub(super) fn slow_down(&self, connection: &str, delay: Duration) {
        self.0.lock().unwrap().slow.insert(connection.to_owned(), delay);
    }

    /// Makes posts to the socket succeed at once again.
    pub(super) fn recover(&self, connection: &str) {
        let mut sockets = self.0.lock().unwrap();
        sockets.stalled.remove(connection);
        sockets.slow.remove(connection);
    }

    /// Makes posts to the socket, and attempts to close it, fail from now on.
    pub(super) fn hang(&self, connection: &str) {
        self.stall(connection);
        self.0.lock().unwrap().unclosable.insert(connection.to_owned());
    }

    pub(super) fn closed(&self) -> Vec<String> {
        self.0.lock().unwrap().closed.clone()
    }
}

pub(super) async fn live() -> LiveService<Recorder> {
    let (store, connections) = tables().await;
    LiveService { store, connections, push: Recorder::default() }
}

/// A fan-out that pushes directly to at most `threshold` sockets of a feed.
pub(super) fn fan_out(live: &LiveService<Recorder>, threshold: usize) -> FanOut<Recorder> {
    FanOut {
        live: live.clone(),
        table: FanOutTable::in_database_of(&live.store),
        threshold,
        pace: 100_000,
        page: 2,
    }
}

/// Pushes entries directly to their sockets, and asserts that nothing fails.
pub(super) async fn deliver(live: &LiveService<Recorder>, entries: Vec<Entry>) {
    assert!(fan_out(live, 1000).deliver(entries).await.is_empty());
}

/// Drains all shards of a feed.
pub(super) async fn drain_shards(live: &LiveService<Recorder>, feed: &Feed) {
    for shard in 0..8 {
        fan_out(live, 0).drain_shard(feed, shard).await.unwrap();
    }
}

/// Catches up a lagging socket.
pub(super) async fn catch_up(live: &LiveService<Recorder>, feed: &Feed, connection: &str) {
    CatchUp { live: live.clone() }.catch_up(feed, connection).await.unwrap();
}

/// Creates a user with this username who is signed in with the session `s`.
pub(super) async fn user(
    live: &LiveService<Recorder>,
    name: &str,
    role: Role,
    categories: &[&str],
) -> User {
    let now = Timestamp::now();
    let categories = categories.iter().map(|category| Category::parse(category).unwrap()).collect();
    let new = NewUser {
        email: Email::parse(&format!("{name}@example.com")).unwrap(),
        username: Username::parse(name).unwrap(),
        role,
        categories: Categories::new(categories).unwrap(),
    };
    let user = User::new(UserId::derived(&[name]), new, now).unwrap();
    store_user(live, &user).await;
    let session = Session {
        id: "s".to_owned(),
        user_id: user.id.clone(),
        token: String::new(),
        previous: None,
        rotated_at: now,
        generation: 0,
        ends_at: now + jiff::SignedDuration::from_hours(1),
        revoked_at: None,
        version: 1,
    };
    live.store.put_for_test(&session).await;
    user
}

async fn store_user(live: &LiveService<Recorder>, user: &User) {
    let account = Account::new(user.clone(), String::new(), None);
    live.store.put_for_test(&account).await;
}

/// Suspends a user.
pub(super) async fn suspend(live: &LiveService<Recorder>, user: &User) {
    store_user(live, &User { status: UserStatus::Suspended, ..user.clone() }).await;
}

/// Opens a socket for a user, without a hello.
pub(super) async fn socket(live: &LiveService<Recorder>, user: &User, id: &str) -> Connection {
    let connection = Connection {
        id: id.to_owned(),
        user_id: user.id.clone(),
        session_id: "s".to_owned(),
        feeds: Vec::new(),
        connected_at: Timestamp::now(),
    };
    live.connections.add(&connection).await.unwrap();
    connection
}

/// Sends a hello over a socket that is already open.
pub(super) async fn hello(
    live: &LiveService<Recorder>,
    id: &str,
    after: &[(&Feed, u64)],
) -> Result<()> {
    let connection = live.connections.connection(id).await.unwrap().unwrap();
    let after: BTreeMap<String, u64> =
        after.iter().map(|(feed, n)| (feed.to_string(), *n)).collect();
    live.hello(&connection, &after, Timestamp::now()).await
}

/// An entry to append, whose data contains `n`.
pub(super) fn new_entry(n: u64) -> NewEntry {
    let id = EntryId::derived(&[&n.to_string()]);
    NewEntry { kind: EntryKind::Broadcast, id, at: Timestamp::now(), data: json!({"n": n}) }
}

/// Appends entries without pushing them.
pub(super) async fn append(
    live: &LiveService<Recorder>,
    feed: &Feed,
    numbers: std::ops::RangeInclusive<u64>,
) {
    live.store.append(feed, &numbers.map(new_entry).collect::<Vec<_>>()).await.unwrap();
}

/// Reads the entries with these numbers, as the stream would deliver them.
pub(super) async fn entries(
    live: &LiveService<Recorder>,
    feed: &Feed,
    numbers: std::ops::RangeInclusive<u64>,
) -> Vec<Entry> {
    let page =
        live.store.feed_after(feed, numbers.start() - 1, 0, 100, Timestamp::now()).await.unwrap();
    page.items.into_iter().filter(|entry| numbers.contains(&entry.seq)).collect()
}
