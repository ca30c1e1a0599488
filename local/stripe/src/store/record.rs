//! The records in the store.

use serde::{Deserialize, Serialize};

use super::table::Row;
use crate::objects::charge::Charge;
use crate::objects::dispute::Dispute;
use crate::objects::event::Event;
use crate::objects::payment_intent::PaymentIntent;
use crate::objects::refund::Refund;

/// A record of any kind, as the journal writes it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Record {
    PaymentIntent(Box<PaymentIntent>),
    Charge(Box<Charge>),
    Refund(Box<Refund>),
    Dispute(Box<Dispute>),
    Event(Box<Event>),
    #[serde(rename = "reply")]
    SavedResponse(Box<SavedResponse>),
}

/// The response of the first call with an idempotency key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SavedResponse {
    pub(crate) key: String,
    /// The path of the call that first used the key.
    pub(crate) path: String,
    /// The parameters of that call.
    pub(crate) parameters: String,
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) request_id: String,
    pub(crate) created: i64,
}

macro_rules! records {
    ($($kind:ident),*) => {$(
        impl Row for $kind {
            fn id(&self) -> &str {
                &self.id
            }
            fn created(&self) -> i64 {
                self.created
            }
        }
        impl From<$kind> for Record {
            fn from(record: $kind) -> Self {
                Self::$kind(Box::new(record))
            }
        }
    )*};
}

records!(PaymentIntent, Charge, Refund, Dispute, Event);

impl From<SavedResponse> for Record {
    fn from(response: SavedResponse) -> Self {
        Self::SavedResponse(Box::new(response))
    }
}
