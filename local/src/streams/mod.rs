//! Event source mappings, which read the tables' streams and invoke functions with batches of
//! records, as Lambda does.
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html>

mod checkpoint;
mod delivery;
mod destination;
mod event;
mod filter;
mod mapping;
mod pace;
mod shard_reader;
mod shards;
mod source;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use anyhow::Context;
use tokio::task::JoinSet;

use self::mapping::Mapping;
pub use self::mapping::Setup;
pub use self::pace::Pace;

/// The running mappings. They stop when this is dropped. Unprocessed records are delivered after
/// the next start.
pub struct Streams {
    _mappings: JoinSet<()>,
}

impl Streams {
    /// Starts the mappings of a project. Everything written after this returns is delivered, even
    /// with `LATEST`.
    ///
    /// # Errors
    /// When a table has no stream, a destination is unknown, or a filter is malformed. The message
    /// names the mapping.
    pub async fn start(setup: &Setup<'_>) -> anyhow::Result<Self> {
        let mut mappings = JoinSet::new();
        for function in &setup.project.functions {
            for settings in &function.streams {
                let (mapping, latest) =
                    async { Mapping::new(setup, function, settings).await?.prepare().await }
                        .await
                        .with_context(|| {
                            format!("can't start the event source mapping {}", settings.name)
                        })?;
                mappings.spawn(shards::run(Arc::new(mapping), latest));
            }
        }
        Ok(Self { _mappings: mappings })
    }
}
