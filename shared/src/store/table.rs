//! A DynamoDB table: the client, and reads and writes of single items.

use std::sync::atomic::{AtomicBool, Ordering};

use aws_sdk_dynamodb::config::BehaviorVersion;
use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::types::{KeysAndAttributes, ReturnValuesOnConditionCheckFailure};
use aws_smithy_runtime_api::client::auth::AuthSchemeId;

use super::error::{is_condition_failed, old_item, sdk_error, unavailable};
use super::keys;
use super::row::{Entity, Item, Key, from_item, number, to_item};
use crate::aws::SdkSettings;
use crate::config::{ConfigError, optional, required};
use crate::error::{Error, Result};

/// The outcome of a conditional write.
#[derive(Debug)]
pub enum WriteOutcome<T> {
    /// The item was written.
    Written,
    /// The condition failed. Contains the current item, or `None` if no item has the key.
    Conflict(Option<T>),
}

/// The main table. It holds everything except sockets and fan-out progress.
#[derive(Debug, Clone)]
pub struct Store {
    pub(super) client: aws_sdk_dynamodb::Client,
    pub(super) table: String,
}

impl Store {
    /// Creates a store for the table with this name.
    pub fn new(client: aws_sdk_dynamodb::Client, table: &str) -> Self {
        Self { client, table: table.to_owned() }
    }

    /// Creates the store from `TABLE_NAME` and the variables that Lambda sets. If
    /// `AWS_ENDPOINT_URL_DYNAMODB` is set, it replaces the endpoint.
    ///
    /// # Errors
    /// Fails if a variable is missing or invalid; the error names it.
    pub fn from_env() -> std::result::Result<Self, ConfigError> {
        Self::with_table_from_env("TABLE_NAME")
    }

    /// Connects to the table whose name is in this environment variable.
    pub(super) fn with_table_from_env(variable: &str) -> std::result::Result<Self, ConfigError> {
        Ok(Self { client: client()?, table: required(variable)? })
    }

    /// Opens the connection to DynamoDB while the sandbox initializes, when the CPU is not
    /// throttled. Only the TLS handshake matters, so any response will do. The request is unsigned,
    /// so it needs no permission and leaves no denied call in audit logs.
    ///
    /// All tables share one connection pool, so only the first call in a process does anything.
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
            tracing::debug!(error = %DisplayErrorContext(&error), "warm-up read failed");
        }
    }

    /// Reads one item with a consistent read.
    pub(crate) async fn get<T: Entity>(&self, key: Key) -> Result<Option<T>> {
        let out = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key.into_item()))
            .consistent_read(true)
            .send()
            .await
            .map_err(sdk_error)?;
        out.item.map(from_item).transpose()
    }

    /// Reads up to 100 items with a consistent read. The result is in no particular order and
    /// leaves out items that don't exist.
    pub(crate) async fn get_items(&self, keys: Vec<Key>) -> Result<Vec<Item>> {
        let mut wanted: Vec<Item> = keys.into_iter().map(Key::into_item).collect();
        let mut found = Vec::new();
        // When DynamoDB throttles, or the response would exceed 16 MB, it leaves some keys unread
        // and returns them.
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
                .map_err(sdk_error)?;
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
        Err(unavailable("DynamoDB kept leaving keys of a batch read unprocessed"))
    }

    /// Creates an item, on condition that its key is free.
    pub(crate) async fn create<T: Entity>(&self, entity: &T) -> Result<WriteOutcome<T>> {
        let put = self.client.put_item().condition_expression("attribute_not_exists(pk)");
        self.put(put, entity).await
    }

    /// Replaces an item, on condition that it still has this version.
    pub(crate) async fn replace<T: Entity>(
        &self,
        entity: &T,
        version: u64,
    ) -> Result<WriteOutcome<T>> {
        let put = self
            .client
            .put_item()
            .condition_expression("version = :version")
            .expression_attribute_values(":version", number(version));
        self.put(put, entity).await
    }

    async fn put<T: Entity>(
        &self,
        put: PutItemFluentBuilder,
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
            Err(e) if is_condition_failed(&e) => {
                Ok(WriteOutcome::Conflict(old_item(e).map(from_item).transpose()?))
            }
            Err(e) => Err(sdk_error(e)),
        }
    }
}

/// Creates a DynamoDB client from the environment variables that Lambda sets.
fn client() -> std::result::Result<aws_sdk_dynamodb::Client, ConfigError> {
    let settings = SdkSettings::from_env()?;
    let mut config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(settings.region)
        .credentials_provider(settings.credentials)
        .http_client(settings.http)
        .timeout_config(settings.timeouts)
        .retry_config(settings.retries);
    config.set_endpoint_url(optional("AWS_ENDPOINT_URL_DYNAMODB"));
    Ok(aws_sdk_dynamodb::Client::from_conf(config.build()))
}
