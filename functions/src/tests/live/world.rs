//! A database in this process, users with sockets, and a stream that delivers until everything is
//! handled.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use aws_lambda_events::dynamodb::EventRecord;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shared::domain::feed::Feed;
use shared::domain::ids::UserId;
use shared::domain::user::{Categories, Category, Email, NewUser, Role, User, Username};
use shared::error::{Error, Result};
use shared::live::LiveService;
use shared::live::catch_up::CatchUp;
use shared::live::fan_out::FanOut;
use shared::live::push::{PostOutcome, Push};
use shared::store::{
    Account, AdminCondition, Connection, Connections, Entity, Entry, FanOutTable, KnownIpAddress,
    Session, Store,
};
use test_database::create_table;

use super::faults::Faults;
use crate::live::catch_up::catch_up;
use crate::live::notify::notify;
use crate::runtime::events::Failure;
use crate::tests::database::database;

/// Records the frames of each socket. Sending a frame is a step that can fail.
#[derive(Debug, Clone)]
pub(super) struct Sockets {
    faults: Faults,
    frames: Arc<Mutex<BTreeMap<String, Vec<Value>>>>,
    /// The socket that currently accepts nothing.
    slow: Arc<Mutex<Option<String>>>,
}

impl Push for Sockets {
    async fn post(&self, connection: &str, frame: &[u8]) -> Result<PostOutcome> {
        // As on a network, other tasks run in between.
        tokio::task::yield_now().await;
        self.faults.begin(true).map_err(Error::internal)?;
        if self.slow.lock().unwrap().as_deref() == Some(connection) {
            return Err(Error::internal("slow"));
        }
        let frame = serde_json::from_slice(frame).unwrap();
        self.frames.lock().unwrap().entry(connection.to_owned()).or_default().push(frame);
        Ok(PostOutcome::Delivered)
    }

    async fn close(&self, _: &str) -> Result<()> {
        self.faults.begin(true).map_err(Error::internal)
    }
}

pub(super) struct World {
    pub(super) faults: Faults,
    pub(super) fan_out: FanOut<Sockets>,
    client: aws_sdk_dynamodb::Client,
    /// The number of each feed's last entry that was put on the stream.
    streamed: BTreeMap<Feed, u64>,
    /// The catch-up jobs that were last put on the stream.
    catch_up_jobs: BTreeMap<(String, String), Value>,
}

impl World {
    pub(super) async fn new(threshold: usize) -> Self {
        let faults = Faults::default();
        let client = database(faults.clone());
        for name in ["marketplace", "connections", "fan-out"] {
            create_table(&client, name, 0).await;
        }
        let push = Sockets { faults: faults.clone(), frames: Arc::default(), slow: Arc::default() };
        let (store, connections) = (
            Store::new(client.clone(), "marketplace"),
            Connections::new(client.clone(), "connections"),
        );
        let (live, table) =
            (LiveService { store, connections, push }, FanOutTable::new(client.clone(), "fan-out"));
        let fan_out = FanOut { live, table, threshold, pace: 100_000, page: 2 };
        Self { faults, fan_out, client, streamed: BTreeMap::new(), catch_up_jobs: BTreeMap::new() }
    }

    /// Creates a user with a session `s`.
    pub(super) async fn user(&self, name: &str, role: Role, categories: &[&str]) -> User {
        let now = Timestamp::now();
        let categories =
            categories.iter().map(|category| Category::parse(category).unwrap()).collect();
        let new = NewUser {
            email: Email::parse(&format!("{name}@example.com")).unwrap(),
            username: Username::parse(name).unwrap(),
            role,
            categories: Categories::new(categories).unwrap(),
        };
        let user = User::new(UserId::derived(&[name]), new, now).unwrap();
        let account = Account::new(user.clone(), String::new(), None);
        self.fan_out.live.store.register(&account, AdminCondition::None).await.unwrap();
        let session = Session {
            id: "s".to_owned(),
            user_id: user.id.clone(),
            token: String::new(),
            previous: None,
            rotated_at: now,
            generation: 0,
            ends_at: now + SignedDuration::from_hours(1),
            revoked_at: None,
            version: 1,
        };
        let ip_address = KnownIpAddress {
            user_id: user.id.clone(),
            hash: "hash".to_owned(),
            until: session.ends_at,
        };
        self.fan_out.live.store.start_session(&session, &ip_address).await.unwrap();
        user
    }

    /// Opens a socket of the user and says hello.
    pub(super) async fn socket(&self, user: &User, id: &str) {
        let (live, now) = (&self.fan_out.live, Timestamp::now());
        let (id, user_id, session_id) = (id.to_owned(), user.id.clone(), "s".to_owned());
        let connection =
            Connection { id, user_id, session_id, feeds: Vec::new(), connected_at: now };
        live.connections.add(&connection).await.unwrap();
        live.hello(&connection, &BTreeMap::new(), now).await.unwrap();
    }

    /// Delivers records, and the records that they cause, as a stream does: one batch at a time,
    /// again and again until it is handled. A new process replaces one that died.
    pub(super) async fn deliver(&mut self, records: Vec<EventRecord>, feeds: &BTreeSet<Feed>) {
        let mut queue: VecDeque<EventRecord> = records.into();
        let mut number = 0_usize;
        while !queue.is_empty() {
            for record in &mut queue {
                number += 1;
                record.change.sequence_number = Some(number.to_string());
            }
            let batch: Vec<_> = queue.iter().take(100).cloned().collect();
            let all = batch.len();
            self.faults.start();
            let done = tokio::select! {
                biased;
                () = self.faults.death() => 0,
                notified = notify(&self.fan_out, batch) => match notified {
                    Ok(()) => all,
                    Err(Failure { record: failed, .. }) => queue
                        .iter()
                        .position(|record| record.change.sequence_number == failed.sequence_number)
                        .unwrap(),
                },
            };
            self.faults.stop();
            queue.drain(..done);
            queue.extend(self.appended(feeds).await);
        }
    }

    /// Makes this socket accept nothing, and any other slow socket accept everything again.
    pub(super) fn set_slow_socket(&self, socket: Option<&str>) {
        *self.fan_out.live.push.slow.lock().unwrap() = socket.map(str::to_owned);
    }

    /// Catches up all lagging sockets, again and again until it is done. Returns how many there
    /// were.
    pub(super) async fn catch_up(&mut self) -> usize {
        let records = self.new_catch_up_jobs().await;
        let context = CatchUp { live: self.fan_out.live.clone() };
        loop {
            self.faults.start();
            let done = tokio::select! {
                biased;
                () = self.faults.death() => false,
                done = catch_up(&context, records.clone()) => done.is_ok(),
            };
            self.faults.stop();
            if done {
                return records.len();
            }
        }
    }

    /// Returns the records of the rows that changed since the last call.
    async fn new_catch_up_jobs(&mut self) -> Vec<EventRecord> {
        let rows = self.client.scan().table_name("fan-out").send().await.unwrap().items.unwrap();
        let mut records = Vec::new();
        for row in rows.into_iter().map(serde_dynamo::Item::from) {
            let row: Value = serde_dynamo::from_item(row).unwrap();
            let key = |name: &str| row[name].as_str().unwrap().to_owned();
            let (pk, sk) = (key("pk"), key("sk"));
            if pk.starts_with("LATE#")
                && self.catch_up_jobs.insert((pk.clone(), sk.clone()), row["doc"].clone())
                    != Some(row["doc"].clone())
            {
                let change = json!({"Keys": {"pk": {"S": pk}, "sk": {"S": sk}}, "SequenceNumber": "1", "SizeBytes": 1, "StreamViewType": "KEYS_ONLY"});
                records.push(
                    serde_json::from_value(
                        json!({"awsRegion": "eu-west-1", "eventID": "1", "eventName": "MODIFY", "dynamodb": change}),
                    )
                    .unwrap(),
                );
            }
        }
        records
    }

    /// Returns the records of the entries appended to these feeds since the last call.
    async fn appended(&mut self, feeds: &BTreeSet<Feed>) -> Vec<EventRecord> {
        let mut records = Vec::new();
        for feed in feeds {
            let from = self.streamed.entry(feed.clone()).or_default();
            let entries = read(&self.fan_out.live.store, feed, *from).await;
            *from += u64::try_from(entries.len()).unwrap();
            records.extend(entries.iter().map(inserted));
        }
        records
    }

    /// Returns the entries of a feed after a number.
    pub(super) async fn entries(&self, feed: &Feed, after: u64) -> Vec<Entry> {
        read(&self.fan_out.live.store, feed, after).await
    }

    /// Processes the frames of a socket as a client does: it drops entries that it already has, and
    /// must never miss a number. Returns the numbers per feed, and how many frames were dropped.
    pub(super) fn received(&self, socket: &str) -> (BTreeMap<String, u64>, usize) {
        let (mut numbers, mut dropped) = (BTreeMap::new(), 0);
        let frames = self.fan_out.live.push.frames.lock().unwrap();
        for frame in frames[socket].iter().filter(|frame| frame["seq"].is_u64()) {
            let (feed, seq) = (frame["feed"].as_str().unwrap(), frame["seq"].as_u64().unwrap());
            let last = numbers.entry(feed.to_owned()).or_insert(0);
            assert!(seq <= *last + 1, "{socket} gets {seq} of {feed} after {last}");
            dropped += usize::from(seq <= *last);
            *last = seq.max(*last);
        }
        (numbers, dropped)
    }
}

async fn read(store: &Store, feed: &Feed, after: u64) -> Vec<Entry> {
    let (mut after, mut entries) = (after, Vec::new());
    loop {
        let page = store.feed_after(feed, after, 0, 100, Timestamp::now()).await.unwrap();
        if page.items.is_empty() {
            return entries;
        }
        after = page.next;
        entries.extend(page.items);
    }
}

/// Returns the stream record of a new item.
pub(super) fn inserted<T: Entity>(new: &T) -> EventRecord {
    record("INSERT", None::<&T>, new)
}

/// Returns the stream record of a changed item.
pub(super) fn changed<T: Entity>(old: &T, new: &T) -> EventRecord {
    record("MODIFY", Some(old), new)
}

fn record<T: Entity>(name: &str, old: Option<&T>, new: &T) -> EventRecord {
    let image = |entity: &T| {
        let doc: serde_dynamo::Item = serde_dynamo::to_item(entity).unwrap();
        json!({"entity": {"S": T::ENTITY}, "schema": {"N": T::SCHEMA.to_string()}, "doc": {"M": doc}})
    };
    let mut change = json!({"Keys": {}, "NewImage": image(new), "SizeBytes": 1, "StreamViewType": "NEW_AND_OLD_IMAGES"});
    if let Some(old) = old {
        change["OldImage"] = image(old);
    }
    serde_json::from_value(
        json!({"awsRegion": "eu-west-1", "eventID": "1", "eventName": name, "dynamodb": change}),
    )
    .unwrap()
}
