//! DynamoDB: the embedded database or another one, behind a proxy that enforces the functions' IAM
//! policies.

mod capacity;
mod embedded;
mod empty_key;
mod faults;
mod key_condition;
mod proxy;
mod request;
mod stats;
mod stream_log;
mod tables;
mod upstream;
mod writes;

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, bail};
use http::Uri;
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

use self::embedded::Embedded;
use self::proxy::Proxy;
use self::upstream::Upstream;
use crate::iam::Iam;
use crate::log::Log;
use crate::model::Project;

pub use self::stream_log::RETENTION;
pub use self::writes::TableWrites;

/// Where the data is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Storage {
    /// In memory, and lost at the end (`--ephemeral`).
    Memory,
    /// In this directory.
    Directory(PathBuf),
    /// In another DynamoDB (`--dynamodb URL`).
    Endpoint {
        /// One that speaks plain HTTP, as DynamoDB Local does, or AWS itself.
        url: Uri,
        /// Where it separates tables by access key, use tables that no other run has
        /// (`--ephemeral`).
        own_tables: bool,
    },
}

/// The running database. Dropped, it stops.
pub struct DynamoDb {
    /// The value of the functions' `AWS_ENDPOINT_URL_DYNAMODB`.
    pub endpoint_url: String,
    /// Functions call AWS directly, with credentials from the environment of the local cloud.
    pub is_aws: bool,
    /// Where its streams are read.
    pub streams: StreamsEndpoint,
    /// Notifies of writes through the proxy.
    pub writes: TableWrites,
    _tasks: (Option<AbortOnDropHandle<Infallible>>, Option<AbortOnDropHandle<()>>),
    _embedded: Option<Embedded>,
}

/// Where the streams API of a DynamoDB is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamsEndpoint {
    /// Its URL.
    pub url: String,
    /// The region to sign for.
    pub region: String,
    /// The access key whose tables are read; AWS itself is called as the developer.
    pub access_key_id: String,
    /// AWS itself: needs TLS and credentials, and its ARNs are the real ones.
    pub is_aws: bool,
}

impl DynamoDb {
    /// Opens the database, creates the project's tables in it, and serves it on `listener`.
    ///
    /// # Errors
    ///
    /// When the endpoint does not answer or is not supported, or when existing tables differ from the
    /// template in a way that can't be changed.
    pub async fn start(
        project: &Project,
        iam: Arc<Iam>,
        storage: Storage,
        listener: TcpListener,
        log: Log,
    ) -> anyhow::Result<Self> {
        let embedded = match &storage {
            Storage::Endpoint { url, .. } if url.scheme_str() == Some("https") => {
                return Self::aws(url, &log);
            }
            Storage::Endpoint { .. } => None,
            Storage::Memory => Some(Embedded::open(None).await?),
            Storage::Directory(directory) => Some(Embedded::open(Some(directory)).await?),
        };
        let upstream = match (&embedded, storage) {
            (Some(embedded), _) => embedded.upstream.clone(),
            (None, Storage::Endpoint { url, own_tables }) => {
                let authority = url.authority().cloned().with_context(|| {
                    format!("--dynamodb {url} is not a URL such as http://localhost:8000")
                })?;
                if own_tables {
                    Upstream::with_own_tables(authority)
                } else {
                    Upstream::new(authority)
                }
            }
            (None, _) => bail!("there is no database"),
        };
        for table in &project.tables {
            tables::provide(&upstream, table).await?;
        }

        let writes = TableWrites::new(project.tables.iter().map(|t| t.name.as_str()));
        let endpoint_url = format!("http://{}", listener.local_addr()?);
        let streams = StreamsEndpoint {
            url: upstream.url(),
            region: upstream::REGION.to_owned(),
            access_key_id: upstream.access_key_id().to_owned(),
            is_aws: false,
        };
        let proxy = Proxy {
            iam,
            schema: request::Schema::new(project),
            upstream,
            writes: writes.clone(),
            log: log.clone(),
            faults: faults::Faults::default(),
            stats: stats::Stats::default(),
        };
        let tasks = (
            Some(proxy.serve(listener)),
            embedded.as_ref().map(|e| e.keep_house(writes.clone(), log)),
        );
        Ok(Self {
            endpoint_url,
            is_aws: false,
            streams,
            writes,
            _tasks: tasks,
            _embedded: embedded,
        })
    }

    /// Deletes expired items now, without notifying the stream readers.
    #[cfg(test)]
    pub async fn sweep(&self) {
        if let Some(embedded) = &self._embedded {
            embedded.sweep().await.unwrap();
        }
    }

    /// Uses AWS itself: functions call it directly, and CloudFormation has made the tables.
    fn aws(url: &Uri, log: &Log) -> anyhow::Result<Self> {
        let host = url.host().unwrap_or_default();
        let Some(region) =
            host.strip_prefix("dynamodb.").and_then(|h| h.strip_suffix(".amazonaws.com"))
        else {
            bail!(
                "--dynamodb {url}: https is supported for https://dynamodb.<region>.amazonaws.com only; others need http://"
            );
        };
        log.line(
            "dynamodb",
            None,
            &format!(
                "using AWS in {region}: tables are not created here, and the template's policies are not enforced here"
            ),
        );
        Ok(Self {
            endpoint_url: format!("https://{host}"),
            is_aws: true,
            streams: StreamsEndpoint {
                url: format!("https://streams.{host}"),
                region: region.to_owned(),
                access_key_id: String::new(),
                is_aws: true,
            },
            writes: TableWrites::default(),
            _tasks: (None, None),
            _embedded: None,
        })
    }
}

#[cfg(test)]
mod tests;
