//! The table of changes, which both functions use.

use aws_config::BehaviorVersion;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_http_client::{Builder, tls};
use lambda_runtime::Error;

/// The table of changes.
pub struct Audit {
    client: Client,
    table: String,
}

impl Audit {
    /// Returns the table that `AUDIT_TABLE` names.
    ///
    /// # Errors
    /// When `AUDIT_TABLE` is not set.
    pub async fn new() -> Result<Self, Error> {
        let ring = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
        let http = Builder::new().tls_provider(ring).build_https();
        let config = aws_config::defaults(BehaviorVersion::latest()).http_client(http);
        let client = Client::new(&config.load().await);
        Ok(Self { client, table: std::env::var("AUDIT_TABLE")? })
    }

    /// Stores a text under an id.
    ///
    /// # Errors
    /// When DynamoDB rejects the request or can't be reached.
    pub async fn put(&self, id: &str, text: &str) -> Result<(), Error> {
        let item = self.client.put_item().table_name(&self.table);
        let item = item.item("id", AttributeValue::S(id.to_owned()));
        item.item("text", AttributeValue::S(text.to_owned())).send().await?;
        Ok(())
    }

    /// Returns the number of entries.
    ///
    /// # Errors
    /// When DynamoDB rejects the request or can't be reached.
    pub async fn count(&self) -> Result<i32, Error> {
        Ok(self.client.scan().table_name(&self.table).send().await?.count())
    }
}
