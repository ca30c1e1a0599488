//! DynamoDB: an embedded or external database behind a proxy that enforces the functions' IAM
//! policies.

mod capacity;
mod corrections;
mod embedded;
mod faults;
mod key_condition;
mod proxy;
mod refusals;
mod request;
mod stats;
mod stream_log;
mod tables;
mod tokens;
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

/// Where the data is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Storage {
    /// In memory, and lost when the process ends (`--ephemeral`).
    Memory,
    /// In this directory.
    Directory(PathBuf),
    /// In another DynamoDB (`--dynamodb URL`).
    Endpoint {
        /// A DynamoDB that speaks plain HTTP, like DynamoDB Local, or AWS itself.
        url: Uri,
        /// Use tables that no other run sees (`--ephemeral`). This works with a database that
        /// separates tables by access key.
        own_tables: bool,
    },
}

/// The running database. Dropping it stops it.
pub struct DynamoDb {
    /// The `AWS_ENDPOINT_URL_DYNAMODB` of the functions.
    pub endpoint_url: String,
    /// Whether functions call AWS directly, with the credentials from the environment of the local
    /// cloud. The local cloud doesn't see these calls.
    pub is_aws: bool,
    /// Where its streams are read from.
    pub streams: StreamsEndpoint,
    /// Notifies the streams of writes that pass through the proxy.
    pub writes: TableWrites,
    _tasks: (Option<AbortOnDropHandle<Infallible>>, Option<AbortOnDropHandle<()>>),
    _embedded: Option<Embedded>,
}

/// How to reach the streams API of a DynamoDB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamsEndpoint {
    /// Its URL.
    pub url: String,
    /// The region that requests are signed for.
    pub region: String,
    /// The access key whose tables are read. Unused with AWS, which is called with the developer's
    /// credentials.
    pub access_key_id: String,
    /// Whether this is AWS itself, which needs TLS and credentials and has real ARNs.
    pub is_aws: bool,
}

impl DynamoDb {
    /// Opens the database, creates or updates the tables of the project, and serves it on
    /// `listener`.
    ///
    /// # Errors
    /// When the database can't be opened, its endpoint doesn't answer or isn't supported, or its
    /// tables can't be made to match the template.
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
            tables::create_or_update(&upstream, table).await?;
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
            embedded.as_ref().map(|e| e.spawn_maintenance(writes.clone(), log)),
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

    /// Deletes the expired items now, without notifying the streams.
    #[cfg(test)]
    pub async fn sweep(&self) {
        if let Some(embedded) = &self._embedded {
            embedded.sweep().await.unwrap();
        }
    }

    /// Uses AWS itself. Functions call it directly, and CloudFormation creates the tables.
    fn aws(url: &Uri, log: &Log) -> anyhow::Result<Self> {
        let host = url.host().unwrap_or_default();
        let Some(region) =
            host.strip_prefix("dynamodb.").and_then(|h| h.strip_suffix(".amazonaws.com"))
        else {
            bail!(
                "--dynamodb {url}: https works only with https://dynamodb.<region>.amazonaws.com; \
                 use http:// for other endpoints"
            );
        };
        log.line(
            "dynamodb",
            None,
            &format!(
                "using AWS in {region}: the local cloud doesn't create its tables or enforce the \
                 template's policies"
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
