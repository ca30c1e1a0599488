//! Sockets that only remember what they were given, and people to have them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::Live;
use super::catch_up::CatchUp;
use super::fan_out::FanOut;
use super::push::{Posted, Push};
use crate::domain::feed::{EntryKind, Feed};
use crate::domain::ids::{EntryId, UserId};
use crate::domain::text::Category;
use crate::domain::user::{Categories, Email, NewUser, Role, User, UserStatus, Username};
use crate::error::{Error, Result};
use crate::store::testing::tables;
use crate::store::{Account, Connection, Draft, Entry, FanOuts, Session};

/// What became of every socket.
#[derive(Debug, Clone, Default)]
pub(super) struct Recorder(Arc<Mutex<Sockets>>);

#[derive(Debug, Default)]
struct Sockets {
    frames: HashMap<String, Vec<Value>>,
    gone: HashSet<String>,
    /// These take nothing, though they are there.
    stuck: HashSet<String>,
    /// These take everything, each frame after this time.
    sluggish: HashMap<String, Duration>,
    /// These can't be closed either.
    unclosable: HashSet<String>,
    closed: Vec<String>,
    /// A socket, the number of an entry that does not get through to it yet, and who waits for
    /// that.
    gate: Option<(String, u64, Arc<Gate>)>,
}

/// Where one frame waits.
#[derive(Debug, Default)]
pub(super) struct Gate {
    reached: Notify,
    opened: Notify,
}

impl Gate {
    pub(super) async fn reached(&self) {
        let reached = tokio::time::timeout(Duration::from_secs(20), self.reached.notified()).await;
        reached.expect("the frame is sent");
    }

    pub(super) fn open(&self) {
        self.opened.notify_one();
    }
}

impl Push for Recorder {
    async fn post(&self, connection: &str, frame: &[u8]) -> Result<Posted> {
        // As on a network, others come between.
        tokio::task::yield_now().await;
        if let Some(gate) = self.gate(connection, frame) {
            gate.reached.notify_one();
            gate.opened.notified().await;
        }
        let sluggish = self.0.lock().unwrap().sluggish.get(connection).copied();
        if let Some(time) = sluggish {
            tokio::time::sleep(time).await;
        }
        let mut sockets = self.0.lock().unwrap();
        if sockets.stuck.contains(connection) {
            return Err(Error::internal("stuck"));
        }
        if sockets.gone.contains(connection) {
            return Ok(Posted::Gone);
        }
        let frame = serde_json::from_slice(frame).unwrap();
        sockets.frames.entry(connection.to_owned()).or_default().push(frame);
        Ok(Posted::Yes)
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
    /// Holds up the entry of this number on its way to a socket.
    pub(super) fn hold_up(&self, connection: &str, seq: u64) -> Arc<Gate> {
        let gate = Arc::new(Gate::default());
        self.0.lock().unwrap().gate = Some((connection.to_owned(), seq, Arc::clone(&gate)));
        gate
    }

    fn gate(&self, connection: &str, frame: &[u8]) -> Option<Arc<Gate>> {
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

    /// The numbers that a socket was given of a feed.
    pub(super) fn numbers(&self, connection: &str, feed: &Feed) -> Vec<u64> {
        let feed = feed.to_string();
        self.frames(connection)
            .iter()
            .filter(|f| f["feed"] == feed.as_str())
            .filter_map(|f| f["seq"].as_u64())
            .collect()
    }

    pub(super) fn vanish(&self, connection: &str) {
        self.0.lock().unwrap().gone.insert(connection.to_owned());
    }

    pub(super) fn stick(&self, connection: &str) {
        self.0.lock().unwrap().stuck.insert(connection.to_owned());
    }

    /// Takes a frame in so much time.
    pub(super) fn slow_down(&self, connection: &str, time: Duration) {
        self.0.lock().unwrap().sluggish.insert(connection.to_owned(), time);
    }

    /// Takes everything again, and at once.
    pub(super) fn recover(&self, connection: &str) {
        let mut sockets = self.0.lock().unwrap();
        sockets.stuck.remove(connection);
        sockets.sluggish.remove(connection);
    }

    /// Takes nothing and can't be closed.
    pub(super) fn hang(&self, connection: &str) {
        self.stick(connection);
        self.0.lock().unwrap().unclosable.insert(connection.to_owned());
    }

    pub(super) fn closed(&self) -> Vec<String> {
        self.0.lock().unwrap().closed.clone()
    }
}

pub(super) async fn live() -> Live<Recorder> {
    let (store, connections) = tables().await;
    Live { store, connections, push: Recorder::default() }
}

/// Pushes directly to so many sockets of a feed.
pub(super) fn fan_out(live: &Live<Recorder>, threshold: usize) -> FanOut<Recorder> {
    FanOut {
        live: live.clone(),
        table: FanOuts::beside(&live.store),
        threshold,
        pace: 100_000,
        page: 2,
    }
}

/// Brings entries to their sockets; nothing fails.
pub(super) async fn deliver(live: &Live<Recorder>, entries: Vec<Entry>) {
    assert!(fan_out(live, 1000).deliver(entries).await.is_empty());
}

/// Brings all shards of a feed to what they are due.
pub(super) async fn bring(live: &Live<Recorder>, feed: &Feed) {
    for shard in 0..8 {
        fan_out(live, 0).bring(feed, shard).await.unwrap();
    }
}

/// Catches a socket up.
pub(super) async fn catch_up(live: &Live<Recorder>, feed: &Feed, connection: &str) {
    CatchUp { live: live.clone() }.catch_up(feed, connection).await.unwrap();
}

/// A user of this name, signed in, under the session id `s`.
pub(super) async fn user(
    live: &Live<Recorder>,
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
    save(live, &user).await;
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

async fn save(live: &Live<Recorder>, user: &User) {
    let account = Account::new(user.clone(), String::new(), None);
    live.store.put_for_test(&account).await;
}

pub(super) async fn suspend(live: &Live<Recorder>, user: &User) {
    save(live, &User { status: UserStatus::Suspended, ..user.clone() }).await;
}

/// A socket of theirs, open and silent.
pub(super) async fn socket(live: &Live<Recorder>, user: &User, id: &str) -> Connection {
    let connection = Connection {
        id: id.to_owned(),
        user_id: user.id.clone(),
        session_id: "s".to_owned(),
        feeds: Vec::new(),
        connected_at: Timestamp::now(),
    };
    live.connections.open(&connection).await.unwrap();
    connection
}

/// Says hello over a socket as it is stored now.
pub(super) async fn hello(live: &Live<Recorder>, id: &str, after: &[(&Feed, u64)]) -> Result<()> {
    let connection = live.connections.connection(id).await.unwrap().unwrap();
    let after: BTreeMap<String, u64> =
        after.iter().map(|(feed, n)| (feed.to_string(), *n)).collect();
    live.hello(&connection, &after, Timestamp::now()).await
}

pub(super) fn draft(n: u64) -> Draft {
    let id = EntryId::derived(&[&n.to_string()]);
    Draft { kind: EntryKind::Broadcast, id, at: Timestamp::now(), data: json!({"n": n}) }
}

/// Appends and does not push.
pub(super) async fn append(
    live: &Live<Recorder>,
    feed: &Feed,
    numbers: std::ops::RangeInclusive<u64>,
) {
    live.store.append(feed, &numbers.map(draft).collect::<Vec<_>>()).await.unwrap();
}

/// The entries of a feed with these numbers, as the stream brings them.
pub(super) async fn entries(
    live: &Live<Recorder>,
    feed: &Feed,
    numbers: std::ops::RangeInclusive<u64>,
) -> Vec<Entry> {
    let page =
        live.store.feed_after(feed, numbers.start() - 1, 0, 100, Timestamp::now()).await.unwrap();
    page.items.into_iter().filter(|entry| numbers.contains(&entry.seq)).collect()
}
