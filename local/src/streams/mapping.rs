//! One event source mapping: its parts, and where it starts.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use tokio::sync::watch;

use super::checkpoint::{Checkpoints, ShardState, State};
use super::destination::Queue;
use super::filter::Filter;
use super::pace::Pace;
use super::source::{Position, Shard, Source};
use crate::dynamodb::DynamoDb;
use crate::invoke::Invoke;
use crate::log::Log;
use crate::model::{Function, Project, StreamMapping};

/// Everything that is needed to start the mappings.
pub struct Setup<'a> {
    /// The tables, queues and functions.
    pub project: &'a Project,
    /// The database with the streams.
    pub dynamodb: &'a DynamoDb,
    /// Invokes the functions.
    pub invoke: Arc<dyn Invoke>,
    /// The directory of the checkpoints and of the on-failure queues. `None` keeps checkpoints in
    /// memory and writes messages only to the log.
    pub data_dir: Option<&'a Path>,
    /// The log of the local cloud.
    pub log: Log,
    /// How often streams are read, and how long retries wait.
    pub pace: Pace,
}

/// One event source mapping.
pub(super) struct Mapping {
    pub(super) settings: StreamMapping,
    /// The function's name.
    pub(super) function: String,
    pub(super) function_arn: String,
    /// The ARN of the stream in the database.
    pub(super) stream_arn: String,
    /// The ARN of the stream in the events that functions receive.
    pub(super) event_source_arn: String,
    pub(super) filter: Filter,
    pub(super) source: Source,
    pub(super) checkpoints: Checkpoints,
    pub(super) writes: Option<watch::Receiver<()>>,
    /// The on-failure destination.
    pub(super) queue: Option<Queue>,
    pub(super) invoke: Arc<dyn Invoke>,
    pub(super) log: Log,
    pub(super) pace: Pace,
}

/// The iterators at the end of each shard, by shard id, for a mapping that starts at `LATEST`.
pub(super) type Latest = HashMap<String, String>;

impl Mapping {
    /// Returns the mapping of `function` with these settings.
    ///
    /// # Errors
    /// When the table, its stream or the on-failure queue does not exist, or a filter is malformed.
    pub(super) async fn new(
        setup: &Setup<'_>,
        function: &Function,
        settings: &StreamMapping,
    ) -> anyhow::Result<Self> {
        let Setup { project, dynamodb, data_dir, .. } = setup;
        let table = project.tables.iter().find(|t| t.name == settings.table);
        let table =
            table.with_context(|| format!("the template has no table {}", settings.table))?;
        let queue = match &settings.on_failure {
            None => None,
            Some(arn) => {
                let queue = project.queues.iter().find(|q| q.arn == *arn);
                let queue = queue.with_context(|| {
                    format!("its on-failure destination {arn} is not a queue in the template")
                })?;
                Some(Queue::new(data_dir.map(|d| d.join("queues")).as_deref(), &queue.name))
            }
        };
        let source = Source::new(&dynamodb.streams)?;
        let stream_arn = source.stream(&settings.table).await?;
        Ok(Self {
            settings: settings.clone(),
            function: function.name.clone(),
            function_arn: function.arn.clone(),
            event_source_arn: source.event_source_arn(&stream_arn, &table.arn),
            stream_arn,
            filter: Filter::new(&settings.filters)?,
            source,
            checkpoints: Checkpoints::open(
                data_dir.map(|d| d.join("streams")).as_deref(),
                &settings.name,
            )?,
            writes: dynamodb.writes.subscribe(&settings.table),
            queue,
            invoke: setup.invoke.clone(),
            log: setup.log.clone(),
            pace: setup.pace,
        })
    }

    /// Decides where a mapping that has never run starts: in existing shards at `StartingPosition`,
    /// in later shards at the beginning.
    ///
    /// # Errors
    /// When the stream can't be read or the checkpoints can't be written.
    pub(super) async fn prepare(self) -> anyhow::Result<(Self, Latest)> {
        if self.checkpoints.read(|s| s.stream_arn == self.stream_arn) {
            return Ok((self, Latest::new()));
        }
        let mut latest = Latest::new();
        let mut state = State { stream_arn: self.stream_arn.clone(), ..State::default() };
        if !self.settings.from_start {
            let since = Some(jiff::Timestamp::now().as_second());
            for Shard { id, .. } in self.source.shards(&self.stream_arn).await? {
                latest.insert(
                    id.clone(),
                    self.source.iterator(&self.stream_arn, &id, &Position::Latest).await?,
                );
                state.shards.insert(id, ShardState { since, ..ShardState::default() });
            }
        }
        self.checkpoints.update(|s| *s = state)?;
        Ok((self, latest))
    }

    /// Changes the checkpoints, and logs an error if they can't be written.
    pub(super) fn update_checkpoints(&self, update: impl FnOnce(&mut State)) {
        if let Err(error) = self.checkpoints.update(update) {
            self.log_line(&format!("can't save its progress: {error:#}"));
        }
    }

    /// Logs a line about this mapping.
    pub(super) fn log_line(&self, text: &str) {
        self.log.line("streams", None, &format!("{}: {text}", self.settings.name));
    }
}
