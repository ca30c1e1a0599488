//! Reads DynamoDB Streams through the AWS SDK, from the embedded database, DynamoDB Local or AWS.

use anyhow::{Context, anyhow};
use aws_sdk_dynamodbstreams::Client;
use aws_sdk_dynamodbstreams::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodbstreams::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodbstreams::types::ShardIteratorType;
use aws_smithy_http_client::{Builder, tls};

use super::event::{self, Record};
use crate::dynamodb::StreamsEndpoint;

/// One shard of a stream.
#[derive(Debug, Clone)]
pub struct Shard {
    /// The shard's id.
    pub id: String,
    /// The id of the shard that was split into this one.
    pub parent: Option<String>,
}

/// Where reading a shard starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Position {
    TrimHorizon,
    Latest,
    After(String),
}

/// The result of one read.
#[derive(Debug)]
pub struct Page {
    pub records: Vec<Record>,
    /// The iterator for the next read, or `None` at the end of a closed shard.
    pub next: Option<String>,
}

/// The streams API of a DynamoDB.
#[derive(Debug, Clone)]
pub struct Source {
    client: Client,
    is_aws: bool,
}

impl Source {
    /// Returns a client of the endpoint.
    ///
    /// # Errors
    /// When the endpoint is AWS and the environment has no credentials.
    pub fn new(endpoint: &StreamsEndpoint) -> anyhow::Result<Self> {
        let (credentials, http_client) = if endpoint.is_aws {
            let ring = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
            (credentials_from_environment()?, Builder::new().tls_provider(ring).build_https())
        } else {
            let key = endpoint.access_key_id.as_str();
            (Credentials::new(key, "unchecked", None, None, "local"), Builder::new().build_http())
        };
        let config = aws_sdk_dynamodbstreams::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(endpoint.region.clone()))
            .endpoint_url(&endpoint.url)
            .credentials_provider(credentials)
            .http_client(http_client)
            .build();
        Ok(Self { client: Client::from_conf(config), is_aws: endpoint.is_aws })
    }

    /// Returns the ARN of a table's current stream.
    ///
    /// # Errors
    /// When the database can't be reached, or the table has no stream.
    pub async fn stream(&self, table: &str) -> anyhow::Result<String> {
        let listed = self.client.list_streams().table_name(table).send().await;
        let listed = listed
            .map_err(|e| with_cause(&e))
            .with_context(|| format!("can't find the stream of table {table}"))?;
        let streams = listed.streams.unwrap_or_default().into_iter();
        // A disabled stream is still listed for a day. Labels are timestamps, so the current stream
        // has the highest.
        let latest = streams
            .filter(|s| s.table_name() == Some(table))
            .max_by(|a, b| a.stream_label.cmp(&b.stream_label));
        latest.and_then(|s| s.stream_arn).with_context(|| format!("table {table} has no stream"))
    }

    /// Returns the ARN that functions see as `eventSourceARN`. Except on AWS, it has the ARN of the
    /// template's table, because the database may use another one.
    pub fn event_source_arn(&self, stream_arn: &str, table_arn: &str) -> String {
        let label = stream_arn.rsplit_once("/stream/").map_or("", |(_, label)| label);
        if self.is_aws { stream_arn.to_owned() } else { format!("{table_arn}/stream/{label}") }
    }

    /// Returns the shards of a stream.
    ///
    /// # Errors
    /// When the database can't be reached or rejects the request.
    pub async fn shards(&self, stream_arn: &str) -> anyhow::Result<Vec<Shard>> {
        let mut shards = Vec::new();
        let mut start = None;
        loop {
            let request = self
                .client
                .describe_stream()
                .stream_arn(stream_arn)
                .set_exclusive_start_shard_id(start);
            let response = request.send().await.map_err(|e| with_cause(&e))?;
            let described = response.stream_description.context("the stream has no description")?;
            shards.extend(described.shards.unwrap_or_default().into_iter().filter_map(|shard| {
                Some(Shard { id: shard.shard_id?, parent: shard.parent_shard_id })
            }));
            start = described.last_evaluated_shard_id;
            if start.is_none() {
                return Ok(shards);
            }
        }
    }

    /// Returns an iterator at a position, or at the oldest record if that position was trimmed.
    ///
    /// # Errors
    /// When the database can't be reached or rejects the request.
    pub async fn iterator(
        &self,
        stream_arn: &str,
        shard_id: &str,
        position: &Position,
    ) -> anyhow::Result<String> {
        let request = self.client.get_shard_iterator().stream_arn(stream_arn).shard_id(shard_id);
        let horizon = request.clone().shard_iterator_type(ShardIteratorType::TrimHorizon);
        let request = match position {
            Position::TrimHorizon => horizon.clone(),
            Position::Latest => request.shard_iterator_type(ShardIteratorType::Latest),
            Position::After(number) => request
                .shard_iterator_type(ShardIteratorType::AfterSequenceNumber)
                .sequence_number(number),
        };
        let result = match request.send().await {
            Err(error) if error.code() == Some("TrimmedDataAccessException") => {
                horizon.send().await
            }
            result => result,
        };
        result
            .map_err(|e| with_cause(&e))?
            .shard_iterator
            .context("the response has no shard iterator")
    }

    /// Reads up to `limit` records (1000 at most), with `event_source_arn` as their source.
    ///
    /// # Errors
    /// When the database can't be reached or rejects the request, as it does for an expired
    /// iterator.
    pub async fn records(
        &self,
        iterator: &str,
        limit: usize,
        event_source_arn: &str,
    ) -> anyhow::Result<Page> {
        let limit = i32::try_from(limit.clamp(1, 1000))?;
        let response = self
            .client
            .get_records()
            .shard_iterator(iterator)
            .limit(limit)
            .send()
            .await
            .map_err(|e| with_cause(&e))?;
        let records = response.records.unwrap_or_default();
        let records = records
            .into_iter()
            .map(|r| event::record(r, event_source_arn))
            .collect::<anyhow::Result<_>>()?;
        Ok(Page { records, next: response.next_shard_iterator })
    }
}

/// Returns the error with its cause, because an [`SdkError`] alone says only "service error".
fn with_cause<E, R>(error: &SdkError<E, R>) -> anyhow::Error
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
    R: std::fmt::Debug,
{
    match error.message() {
        Some(message) => anyhow!("{}: {message}", error.code().unwrap_or("error")),
        None => anyhow!("{}", DisplayErrorContext(error)),
    }
}

fn credentials_from_environment() -> anyhow::Result<Credentials> {
    let variable = |name: &str| {
        std::env::var(name)
            .with_context(|| format!("--dynamodb with AWS needs the environment variable {name}"))
    };
    Ok(Credentials::new(
        variable("AWS_ACCESS_KEY_ID")?,
        variable("AWS_SECRET_ACCESS_KEY")?,
        std::env::var("AWS_SESSION_TOKEN").ok(),
        None,
        "environment",
    ))
}
