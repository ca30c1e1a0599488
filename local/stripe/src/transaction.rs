//! One change to the store: the records that it writes, and the events that it causes.

use serde_json::Value;

use crate::error::Error;
use crate::ids;
use crate::objects::charge::Charge;
use crate::objects::dispute::Dispute;
use crate::objects::event::{DeliveryStatus, Event};
use crate::objects::payment_intent::PaymentIntent;
use crate::objects::refund::Refund;
use crate::options::Options;
use crate::store::Store;
use crate::store::record::Record;

/// The call that caused a change. It is empty if the passage of time or the control API did.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cause {
    /// The call's `req_...`.
    pub(crate) request_id: Option<String>,
    /// The call's idempotency key.
    pub(crate) idempotency_key: Option<String>,
}

/// A change in progress, made under the store's lock.
pub(crate) struct Transaction<'a> {
    pub(crate) store: &'a mut Store,
    pub(crate) options: &'a Options,
    /// The stand-in's own URL, for links to its pages.
    pub(crate) base_url: &'a str,
    /// Unix seconds.
    pub(crate) now: i64,
    pub(crate) cause: Cause,
    /// The ids of the events so far, in order.
    pub(crate) events: Vec<String>,
    /// The ids of payment intents and refunds that a bank will settle later.
    pub(crate) unsettled: Vec<String>,
}

impl Transaction<'_> {
    /// Writes a record.
    pub(crate) fn put(&mut self, record: impl Into<Record>) {
        self.store.put(record);
    }

    /// Records an event with a snapshot of its object.
    pub(crate) fn emit(&mut self, kind: &str, object: Value) {
        self.emit_event(kind, object, None);
    }

    /// Records an `*.updated` event. `previous_attributes` has the former values of the fields that
    /// changed.
    pub(crate) fn emit_update(&mut self, kind: &str, object: Value, previous_attributes: Value) {
        self.emit_event(kind, object, Some(previous_attributes));
    }

    fn emit_event(&mut self, kind: &str, object: Value, previous_attributes: Option<Value>) {
        let delivery = match self.options.webhook_url {
            Some(_) => DeliveryStatus::Pending,
            None => DeliveryStatus::Dropped,
        };
        let event = Event {
            id: ids::new("evt_"),
            api_version: self.options.api_version.clone(),
            created: self.now,
            object,
            previous_attributes,
            kind: kind.to_owned(),
            request_id: self.cause.request_id.clone(),
            idempotency_key: self.cause.idempotency_key.clone(),
            delivery,
        };
        self.events.push(event.id.clone());
        self.store.put(event);
    }

    /// Returns the payment intent `id`.
    ///
    /// # Errors
    /// 404 `resource_missing`.
    pub(crate) fn intent(&self, id: &str) -> Result<PaymentIntent, Error> {
        self.store.intents.get(id).cloned().ok_or_else(|| Error::missing("payment_intent", id))
    }

    /// Returns the charge `id`.
    ///
    /// # Errors
    /// 404 `resource_missing`.
    pub(crate) fn charge(&self, id: &str) -> Result<Charge, Error> {
        self.store.charges.get(id).cloned().ok_or_else(|| Error::missing("charge", id))
    }

    /// Returns the refund `id`.
    ///
    /// # Errors
    /// 404 `resource_missing`.
    pub(crate) fn refund(&self, id: &str) -> Result<Refund, Error> {
        self.store.refunds.get(id).cloned().ok_or_else(|| Error::missing("refund", id))
    }

    /// Returns the dispute `id`.
    ///
    /// # Errors
    /// 404 `resource_missing`.
    pub(crate) fn dispute(&self, id: &str) -> Result<Dispute, Error> {
        self.store.disputes.get(id).cloned().ok_or_else(|| Error::missing("dispute", id))
    }
}
