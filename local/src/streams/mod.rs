//! Event source mappings: reads the tables' streams and invokes functions with batches of records,
//! as Lambda does.
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html>

mod checkpoint;
mod delivery;
mod destination;
mod event;
mod filter;
mod lane;
mod mapping;
mod source;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use tokio::task::JoinSet;

pub use self::delivery::Pace;
use self::mapping::Mapping;
use crate::dynamodb::DynamoDb;
use crate::invoke::Invoke;
use crate::log::Log;
use crate::model::Project;

/// The running mappings. Dropped, they stop; what was not processed is delivered after the next
/// start.
pub struct Streams {
    _mappings: JoinSet<()>,
}

/// What mappings work with.
pub struct Setup<'a> {
    pub project: &'a Project,
    pub dynamodb: &'a DynamoDb,
    pub invoke: Arc<dyn Invoke>,
    /// Where their progress is kept, and the queues of on-failure destinations; `None` for in
    /// memory and in the log.
    pub data_dir: Option<&'a Path>,
    pub log: Log,
    pub pace: Pace,
}

impl Streams {
    /// Starts the mappings of a project. What is written after this returns is delivered, with
    /// `LATEST`, too.
    ///
    /// # Errors
    ///
    /// One sentence that names the mapping: a table without a stream, an unknown destination, a
    /// filter that is not in the language.
    pub async fn start(setup: &Setup<'_>) -> anyhow::Result<Self> {
        let mut mappings = JoinSet::new();
        for function in &setup.project.functions {
            for settings in &function.streams {
                let (mapping, latest) =
                    async { Mapping::new(setup, function, settings).await?.prepare().await }
                        .await
                        .with_context(|| {
                            format!("the event source mapping {} cannot be started", settings.name)
                        })?;
                mappings.spawn(Arc::new(mapping).run(latest));
            }
        }
        Ok(Self { _mappings: mappings })
    }
}
