//! The configuration of the AWS clients and the table of connections, which all functions use.

use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_http_client::{Builder, tls};
use lambda_runtime::Error;
use serde_json::Value;

/// Returns the configuration of the AWS clients, from the environment.
pub async fn config() -> SdkConfig {
    let ring = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
    let http = Builder::new().tls_provider(ring).build_https();
    aws_config::defaults(BehaviorVersion::latest()).http_client(http).load().await
}

/// Returns the id of the connection that an event belongs to.
pub fn connection_id(event: &Value) -> &str {
    event["requestContext"]["connectionId"].as_str().unwrap_or_default()
}

/// The table of open connections.
pub struct Connections {
    client: Client,
    table: String,
}

impl Connections {
    /// Returns the table that `TABLE_NAME` names.
    ///
    /// # Errors
    /// When `TABLE_NAME` is not set.
    pub fn new(config: &SdkConfig) -> Result<Self, Error> {
        Ok(Self { client: Client::new(config), table: std::env::var("TABLE_NAME")? })
    }

    /// Adds a connection.
    ///
    /// # Errors
    /// When DynamoDB rejects the request or can't be reached.
    pub async fn add(&self, id: &str) -> Result<(), Error> {
        let id = AttributeValue::S(id.to_owned());
        self.client.put_item().table_name(&self.table).item("connectionId", id).send().await?;
        Ok(())
    }

    /// Removes a connection.
    ///
    /// # Errors
    /// When DynamoDB rejects the request or can't be reached.
    pub async fn remove(&self, id: &str) -> Result<(), Error> {
        let id = AttributeValue::S(id.to_owned());
        self.client.delete_item().table_name(&self.table).key("connectionId", id).send().await?;
        Ok(())
    }

    /// Returns the ids of all connections.
    ///
    /// # Errors
    /// When DynamoDB rejects the request or can't be reached.
    pub async fn all(&self) -> Result<Vec<String>, Error> {
        let scanned = self.client.scan().table_name(&self.table).send().await?;
        let ids = scanned.items().iter().filter_map(|item| item.get("connectionId")?.as_s().ok());
        Ok(ids.cloned().collect())
    }
}
