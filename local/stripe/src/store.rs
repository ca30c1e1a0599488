//! Everything the stand-in knows, in memory, and on disk when it has a data file.
//!
//! The file is a journal: every line is one transaction, a JSON array of the records
//! it wrote. A line that a crash cut short is a transaction that did not happen, so objects, events
//! and idempotency keys of one call are there together or not at all. The journal is rewritten
//! without history at every start. It is flushed to the operating system, not to the disk: it
//! survives the death of the process, which is what a laptop's cloud has to survive.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::objects::charge::{Charge, Refund};
use super::objects::dispute::Dispute;
use super::objects::event::Event;
use super::objects::payment_intent::PaymentIntent;

/// A kept record, by its kind.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Change {
    PaymentIntent(Box<PaymentIntent>),
    Charge(Box<Charge>),
    Refund(Box<Refund>),
    Dispute(Box<Dispute>),
    Event(Box<Event>),
    Reply(Box<Reply>),
}

/// The first answer to an idempotency key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Reply {
    pub(super) key: String,
    /// The endpoint and parameters it was first used with.
    pub(super) path: String,
    pub(super) parameters: String,
    pub(super) status: u16,
    pub(super) body: String,
    pub(super) request_id: String,
    pub(super) created: i64,
}

/// A record that is found by its id and listed by its age.
pub(super) trait Record {
    /// Its id.
    fn id(&self) -> &str;
    /// When it was made, in Unix seconds.
    fn created(&self) -> i64;
}

macro_rules! records {
    ($($kind:ident),*) => {$(
        impl Record for $kind {
            fn id(&self) -> &str {
                &self.id
            }
            fn created(&self) -> i64 {
                self.created
            }
        }
        impl From<$kind> for Change {
            fn from(record: $kind) -> Self {
                Self::$kind(Box::new(record))
            }
        }
    )*};
}

records!(PaymentIntent, Charge, Refund, Dispute, Event);

impl From<Reply> for Change {
    fn from(reply: Reply) -> Self {
        Self::Reply(Box::new(reply))
    }
}

/// The records of one kind, in the order in which they were made.
#[derive(Debug)]
pub(super) struct Table<T> {
    rows: Vec<T>,
    positions: HashMap<String, usize>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), positions: HashMap::new() }
    }
}

impl<T: Record> Table<T> {
    /// The record `id`.
    pub(super) fn get(&self, id: &str) -> Option<&T> {
        self.positions.get(id).map(|position| &self.rows[*position])
    }

    /// Oldest first.
    pub(super) fn iter(&self) -> std::slice::Iter<'_, T> {
        self.rows.iter()
    }

    fn put(&mut self, record: T) {
        match self.positions.get(record.id()) {
            Some(position) => self.rows[*position] = record,
            None => {
                self.positions.insert(record.id().to_owned(), self.rows.len());
                self.rows.push(record);
            }
        }
    }
}

/// All tables, and the journal.
#[derive(Debug, Default)]
pub(super) struct Store {
    pub(super) intents: Table<PaymentIntent>,
    pub(super) charges: Table<Charge>,
    pub(super) refunds: Table<Refund>,
    pub(super) disputes: Table<Dispute>,
    pub(super) events: Table<Event>,
    pub(super) replies: HashMap<String, Reply>,
    journal: Option<File>,
    /// Written since the last commit.
    uncommitted: Vec<Change>,
}

impl Store {
    /// Opens the journal at `path`, or an empty store that forgets everything.
    pub(super) fn open(path: Option<&Path>) -> anyhow::Result<Self> {
        let mut store = Self::default();
        let Some(path) = path else {
            return Ok(store);
        };
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)
                .with_context(|| format!("{} cannot be created", directory.display()))?;
        }
        let journal = match fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            read => read.with_context(|| format!("{} cannot be read", path.display()))?,
        };
        // What follows the last newline was cut short.
        let whole = journal.rfind('\n').map_or("", |end| &journal[..end]);
        for (number, line) in whole.lines().enumerate() {
            let changes: Vec<Change> = serde_json::from_str(line).with_context(|| {
                format!(
                    "{} line {} is damaged; delete the file to start afresh",
                    path.display(),
                    number + 1
                )
            })?;
            changes.into_iter().for_each(|change| store.apply(change));
        }
        store.journal = Some(
            store.rewrite(path).with_context(|| format!("{} cannot be written", path.display()))?,
        );
        Ok(store)
    }

    /// Writes a record; it is durable with the next [`commit`](Self::commit).
    pub(super) fn put(&mut self, record: impl Into<Change>) {
        let change = record.into();
        if self.journal.is_some() {
            self.uncommitted.push(change.clone());
        }
        self.apply(change);
    }

    /// Ends a transaction.
    pub(super) fn commit(&mut self) -> io::Result<()> {
        let Some(journal) = self.journal.as_mut().filter(|_| !self.uncommitted.is_empty()) else {
            return Ok(());
        };
        let mut line = serde_json::to_vec(&self.uncommitted)?;
        line.push(b'\n');
        journal.write_all(&line)?;
        self.uncommitted.clear();
        Ok(())
    }

    fn apply(&mut self, change: Change) {
        match change {
            Change::PaymentIntent(record) => self.intents.put(*record),
            Change::Charge(record) => self.charges.put(*record),
            Change::Refund(record) => self.refunds.put(*record),
            Change::Dispute(record) => self.disputes.put(*record),
            Change::Event(record) => self.events.put(*record),
            Change::Reply(reply) => {
                self.replies.insert(reply.key.clone(), *reply);
            }
        }
    }

    /// A new journal with every record once, put in the old one's place.
    fn rewrite(&self, path: &Path) -> io::Result<File> {
        let fresh = path.with_extension("jsonl.new");
        let mut file = File::create(&fresh)?;
        let mut lines = Vec::new();
        let mut add = |change: Change| -> io::Result<()> {
            serde_json::to_writer(&mut lines, &[change])?;
            lines.push(b'\n');
            Ok(())
        };
        self.intents.iter().cloned().try_for_each(|record| add(record.into()))?;
        self.charges.iter().cloned().try_for_each(|record| add(record.into()))?;
        self.refunds.iter().cloned().try_for_each(|record| add(record.into()))?;
        self.disputes.iter().cloned().try_for_each(|record| add(record.into()))?;
        self.events.iter().cloned().try_for_each(|record| add(record.into()))?;
        self.replies.values().cloned().try_for_each(|reply| add(reply.into()))?;
        file.write_all(&lines)?;
        fs::rename(&fresh, path)?;
        Ok(file)
    }
}
