//! The store of all objects: in memory, and also in a journal if there is a data file.

mod journal;
pub(crate) mod record;
pub(crate) mod table;

use std::collections::HashMap;
use std::io;
use std::path::Path;

use self::journal::Journal;
use self::record::{Record, SavedResponse};
use self::table::Table;
use crate::objects::charge::Charge;
use crate::objects::dispute::Dispute;
use crate::objects::event::Event;
use crate::objects::payment_intent::PaymentIntent;
use crate::objects::refund::Refund;

/// All tables, and the journal.
#[derive(Debug, Default)]
pub(crate) struct Store {
    pub(crate) intents: Table<PaymentIntent>,
    pub(crate) charges: Table<Charge>,
    pub(crate) refunds: Table<Refund>,
    pub(crate) disputes: Table<Dispute>,
    pub(crate) events: Table<Event>,
    /// By idempotency key.
    pub(crate) saved_responses: HashMap<String, SavedResponse>,
    journal: Option<Journal>,
    /// The records written since the last commit.
    uncommitted: Vec<Record>,
}

impl Store {
    /// Opens the store with its journal at `path`, and removes outdated records from the journal.
    /// Without a path, the store starts empty and is only in memory.
    ///
    /// # Errors
    /// When the journal cannot be opened or rewritten, or is damaged.
    pub(crate) fn open(path: Option<&Path>) -> anyhow::Result<Self> {
        let mut store = Self::default();
        if let Some(path) = path {
            let (mut journal, records) = Journal::open(path)?;
            records.into_iter().for_each(|record| store.insert(record));
            journal.rewrite(store.records())?;
            store.journal = Some(journal);
        }
        Ok(store)
    }

    /// Writes a record. The next [`commit`](Self::commit) makes it durable.
    pub(crate) fn put(&mut self, record: impl Into<Record>) {
        let record = record.into();
        if self.journal.is_some() {
            self.uncommitted.push(record.clone());
        }
        self.insert(record);
    }

    /// Ends a transaction.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub(crate) fn commit(&mut self) -> io::Result<()> {
        if let Some(journal) = &mut self.journal
            && !self.uncommitted.is_empty()
        {
            journal.append(&self.uncommitted)?;
            self.uncommitted.clear();
        }
        Ok(())
    }

    fn insert(&mut self, record: Record) {
        match record {
            Record::PaymentIntent(record) => self.intents.put(*record),
            Record::Charge(record) => self.charges.put(*record),
            Record::Refund(record) => self.refunds.put(*record),
            Record::Dispute(record) => self.disputes.put(*record),
            Record::Event(record) => self.events.put(*record),
            Record::SavedResponse(response) => {
                self.saved_responses.insert(response.key.clone(), *response);
            }
        }
    }

    fn records(&self) -> impl Iterator<Item = Record> + '_ {
        let intents = self.intents.iter().cloned().map(Record::from);
        let charges = self.charges.iter().cloned().map(Record::from);
        let refunds = self.refunds.iter().cloned().map(Record::from);
        let disputes = self.disputes.iter().cloned().map(Record::from);
        let events = self.events.iter().cloned().map(Record::from);
        let responses = self.saved_responses.values().cloned().map(Record::from);
        intents.chain(charges).chain(refunds).chain(disputes).chain(events).chain(responses)
    }
}
