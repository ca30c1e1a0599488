//! One change to what Stripe knows, made under the store's lock: records written, events made of
//! them.

use serde_json::Value;

use super::error::Error;
use super::objects::balance_transaction;
use super::objects::charge::{Charge, Refund};
use super::objects::event::{Delivery, Event};
use super::objects::payment_intent::PaymentIntent;
use super::store::{Change, Store};
use super::{Options, ids};

/// What a change came of.
#[derive(Debug, Clone, Default)]
pub(super) struct Cause {
    /// `req_...` of the call; none when time or the control API did it.
    pub(super) request_id: Option<String>,
    /// The call's idempotency key.
    pub(super) idempotency_key: Option<String>,
}

/// A change in the making.
pub(super) struct Transaction<'a> {
    pub(super) store: &'a mut Store,
    pub(super) options: &'a Options,
    /// Where the stand-in itself is, for the pages it names.
    pub(super) base_url: &'a str,
    /// Unix seconds.
    pub(super) now: i64,
    pub(super) cause: Cause,
    /// The events made so far, in order.
    pub(super) events: Vec<String>,
    /// What will change by itself, some time later: ids of payment intents and refunds.
    pub(super) unsettled: Vec<String>,
}

impl Transaction<'_> {
    /// Writes a record.
    pub(super) fn put(&mut self, record: impl Into<Change>) {
        self.store.put(record);
    }

    /// Makes an event of the object as it is now.
    pub(super) fn emit(&mut self, kind: &str, object: Value) {
        let event = Event {
            id: ids::new("evt_"),
            api_version: self.options.api_version.clone(),
            created: self.now,
            object,
            kind: kind.to_owned(),
            request_id: self.cause.request_id.clone(),
            idempotency_key: self.cause.idempotency_key.clone(),
            delivery: if self.options.webhook_url.is_some() {
                Delivery::Pending
            } else {
                Delivery::Dropped
            },
        };
        self.events.push(event.id.clone());
        self.store.put(event);
    }

    /// The payment intent `id`, or `resource_missing`.
    pub(super) fn intent(&self, id: &str) -> Result<PaymentIntent, Error> {
        self.store.intents.get(id).cloned().ok_or_else(|| Error::missing("payment_intent", id))
    }

    /// The charge `id`, or `resource_missing`.
    pub(super) fn charge(&self, id: &str) -> Result<Charge, Error> {
        self.store.charges.get(id).cloned().ok_or_else(|| Error::missing("charge", id))
    }

    /// The refund `id`, or `resource_missing`.
    pub(super) fn refund(&self, id: &str) -> Result<Refund, Error> {
        self.store.refunds.get(id).cloned().ok_or_else(|| Error::missing("refund", id))
    }

    /// Any object, by the prefix of its id: what `expand` puts in an id's place.
    pub(super) fn find(&self, id: &str) -> Option<Value> {
        match id.split_once('_')?.0 {
            "pi" => self.store.intents.get(id).map(PaymentIntent::to_json),
            "ch" => self.store.charges.get(id).map(Charge::to_json),
            "re" => self.store.refunds.get(id).map(Refund::to_json),
            "pm" => self
                .store
                .intents
                .iter()
                .filter_map(|intent| intent.payment_method.as_ref())
                .find(|method| method.id == id)
                .map(|method| method.to_json()),
            "txn" => balance_transaction::find(self.store, id),
            _ => None,
        }
    }
}
