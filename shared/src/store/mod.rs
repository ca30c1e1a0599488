//! The only place that speaks DynamoDB. [`keys`] holds every key string of the system; [`row`] how
//! an entity becomes an item; one file per entity says what can be done with it.
//!
//! Rules that race are conditions of the write itself. A failed condition comes back as a value
//! ([`WriteOutcome::Conflict`] with the item as it is), so that the caller turns it into a domain
//! error where it is written, and never into a 500.

mod account;
mod account_write;
mod batch;
mod broadcast;
mod category;
mod connection;
pub mod cursor;
mod error;
pub mod fan_out;
mod feed;
pub mod keys;
mod message;
mod order;
mod query;
mod rate;
mod row;
mod service;
mod session;
mod subscription;
mod sweep;
#[cfg(test)]
pub(crate) mod testing;
mod transaction;
mod webhook;

use std::sync::atomic::{AtomicBool, Ordering};

use aws_sdk_dynamodb::config::BehaviorVersion;
use aws_sdk_dynamodb::types::{
    AttributeValue, KeysAndAttributes, ReturnValuesOnConditionCheckFailure,
};
use aws_smithy_runtime_api::client::auth::AuthSchemeId;

pub use account::{Account, UsersOf, login_name};
pub use account_write::{Authority, ChangeOutcome, Registered};
pub use broadcast::Broadcast;
pub use category::CategoryCount;
pub use connection::{Connection, Connections, OpenSocket, Ticket};
pub use cursor::{CursorKey, Listed, PageRequest};
pub use fan_out::{Done, FanOuts, Pass};
pub use feed::{Draft, Entry, FeedPage, Missed};
pub use keys::Changed;
pub use message::{Message, MessagesOf};
pub use order::OrdersOf;
pub use rate::{Counted, Limit};
pub use row::{Entity, Key, from_image};
pub use service::{ServicesOf, StoredService};
pub use session::{AuthState, Presented, Session, Source};
pub use subscription::{Live, Skip, Subscription, hold};
pub use webhook::{EventOutcome, Handled, StripeEvent};

use crate::aws::Environment;
use crate::config::{ConfigError, optional, required};
use crate::error::{Error, Result};
use error::failed;
use query::{Filter, Query};
use row::{Item, from_item, to_item};

/// What a conditional write did.
#[derive(Debug)]
pub enum WriteOutcome<T> {
    /// The write was made.
    Written,
    /// The condition did not hold; this is the item as it is (`None` when it is not there).
    Conflict(Option<T>),
}

/// The table that holds everything but sockets.
#[derive(Debug, Clone)]
pub struct Store {
    client: aws_sdk_dynamodb::Client,
    table: String,
}

impl Store {
    /// A table of this name.
    pub fn new(client: aws_sdk_dynamodb::Client, table: &str) -> Self {
        Self { client, table: table.to_owned() }
    }

    /// From `TABLE_NAME` and what Lambda sets; `AWS_ENDPOINT_URL_DYNAMODB` names another endpoint.
    pub fn from_env() -> std::result::Result<Self, ConfigError> {
        Ok(Self { client: client()?, table: required("TABLE_NAME")? })
    }

    /// Opens the connection while the sandbox initialises, which is when CPU is not throttled: what
    /// is wanted is the TLS handshake. The request is not signed, so that it needs no permission
    /// and leaves no refusal in anyone's log; any answer will do.
    ///
    /// All tables share one pool of connections, so only the first call in a process does anything.
    pub async fn warm(&self) {
        static WARM: AtomicBool = AtomicBool::new(false);
        if WARM.swap(true, Ordering::Relaxed) {
            return;
        }
        let key = keys::warm_up();
        let unsigned = aws_sdk_dynamodb::Config::builder()
            .allow_no_auth()
            .auth_scheme_preference([AuthSchemeId::from("noAuth")]);
        let read = self.client.get_item().table_name(&self.table).set_key(Some(key.into_item()));
        if let Err(error) = read.customize().config_override(unsigned).send().await {
            tracing::debug!(error = %aws_sdk_dynamodb::error::DisplayErrorContext(&error), "warm-up read failed");
        }
    }

    /// One consistent read of one item.
    pub(crate) async fn get<T: Entity>(&self, key: Key) -> Result<Option<T>> {
        let out = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key.into_item()))
            .consistent_read(true)
            .send()
            .await
            .map_err(failed)?;
        out.item.map(from_item).transpose()
    }

    /// One consistent read of up to 100 items, in no order; those that are not there are missing.
    pub(crate) async fn get_items(&self, keys: Vec<Key>) -> Result<Vec<Item>> {
        let mut wanted: Vec<Item> = keys.into_iter().map(Key::into_item).collect();
        let mut found = Vec::new();
        // DynamoDB may leave keys unread under pressure or beyond 16 MB, and says which.
        for _ in 0..5 {
            let request = KeysAndAttributes::builder()
                .set_keys(Some(std::mem::take(&mut wanted)))
                .consistent_read(true);
            let request = request.build().map_err(Error::internal)?;
            let out = self
                .client
                .batch_get_item()
                .request_items(&self.table, request)
                .send()
                .await
                .map_err(failed)?;
            found.extend(out.responses.and_then(|mut r| r.remove(&self.table)).unwrap_or_default());
            wanted = out
                .unprocessed_keys
                .and_then(|mut u| u.remove(&self.table))
                .map(|k| k.keys)
                .unwrap_or_default();
            if wanted.is_empty() {
                return Ok(found);
            }
        }
        Err(error::unavailable("unprocessed keys"))
    }

    /// Writes an item that must not be there yet.
    pub(crate) async fn create<T: Entity>(&self, entity: &T) -> Result<WriteOutcome<T>> {
        let put = self.client.put_item().condition_expression("attribute_not_exists(pk)");
        self.put(put, entity).await
    }

    /// Replaces an item, if it is there with `version`.
    pub(crate) async fn replace<T: Entity>(
        &self,
        entity: &T,
        version: u64,
    ) -> Result<WriteOutcome<T>> {
        let put = self
            .client
            .put_item()
            .condition_expression("version = :version")
            .expression_attribute_values(":version", AttributeValue::N(version.to_string()));
        self.put(put, entity).await
    }

    async fn put<T: Entity>(
        &self,
        put: aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder,
        entity: &T,
    ) -> Result<WriteOutcome<T>> {
        let sent = put
            .table_name(&self.table)
            .set_item(Some(to_item(entity)?))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match sent {
            Ok(_) => Ok(WriteOutcome::Written),
            Err(e) => match e.as_service_error().map(|s| s.is_conditional_check_failed_exception())
            {
                Some(true) => {
                    Ok(WriteOutcome::Conflict(error::old_item(e).map(from_item).transpose()?))
                }
                _ => Err(failed(e)),
            },
        }
    }
}

/// The global secondary indexes; `docs/data-model.md` says what each holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Index {
    /// Everything of a kind, newest first; users of a role.
    Gsi1,
    /// Things of an owner or a category, newest first; all users, by name.
    Gsi2,
    /// Orders and messages of a worker; the whole open pool, oldest first; services by price; all
    /// users, newest first.
    Gsi3,
    /// The open pool by category, oldest first; orders with money under way, which are not in the
    /// pool; services of a category by price; users who may not act, newest first.
    Gsi4,
    /// What is due: timers, webhook events that are not applied.
    Gsi5,
    /// What an administrator should look at.
    Gsi6,
}

impl Index {
    /// Its name in `template.yaml`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gsi1 => "gsi1",
            Self::Gsi2 => "gsi2",
            Self::Gsi3 => "gsi3",
            Self::Gsi4 => "gsi4",
            Self::Gsi5 => "gsi5",
            Self::Gsi6 => "gsi6",
        }
    }

    /// Its partition and sort key attributes.
    pub const fn attributes(self) -> (&'static str, &'static str) {
        match self {
            Self::Gsi1 => ("gsi1pk", "gsi1sk"),
            Self::Gsi2 => ("gsi2pk", "gsi2sk"),
            Self::Gsi3 => ("gsi3pk", "gsi3sk"),
            Self::Gsi4 => ("gsi4pk", "gsi4sk"),
            Self::Gsi5 => ("gsi5pk", "gsi5sk"),
            Self::Gsi6 => ("gsi6pk", "gsi6sk"),
        }
    }
}

/// A DynamoDB client from what Lambda sets.
pub(crate) fn client() -> std::result::Result<aws_sdk_dynamodb::Client, ConfigError> {
    let env = Environment::read()?;
    let mut config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(env.region)
        .credentials_provider(env.credentials)
        .http_client(env.http)
        .timeout_config(env.timeouts)
        .retry_config(env.retries);
    config.set_endpoint_url(optional("AWS_ENDPOINT_URL_DYNAMODB"));
    Ok(aws_sdk_dynamodb::Client::from_conf(config.build()))
}
