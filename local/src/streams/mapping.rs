//! One event source mapping: where it starts, and its shards, one after the other or side by side.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use anyhow::Context;
use futures::StreamExt;
use futures::future::{BoxFuture, join_all};
use futures::stream::FuturesUnordered;
use tokio::sync::watch;

use super::Setup;
use super::checkpoint::{Checkpoints, ShardState, State};
use super::delivery::Pace;
use super::destination::Queue;
use super::filter::Filter;
use super::lane::Lane;
use super::source::{Position, Shard, Source};
use crate::invoke::Invoke;
use crate::log::Log;
use crate::model::{Function, StreamMapping};

/// One event source mapping, and all it works with.
pub(super) struct Mapping {
    pub(super) settings: StreamMapping,
    /// The function's name.
    pub(super) function: String,
    pub(super) function_arn: String,
    /// The stream as the database knows it.
    pub(super) stream_arn: String,
    /// The stream as functions see it.
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

/// Iterators at the end of shards, for a mapping that starts there: shard id to iterator.
pub(super) type Latest = HashMap<String, String>;

impl Mapping {
    pub(super) async fn new(
        setup: &Setup<'_>,
        function: &Function,
        settings: &StreamMapping,
    ) -> anyhow::Result<Self> {
        let Setup { project, dynamodb, data_dir, .. } = setup;
        let table = project.tables.iter().find(|t| t.name == settings.table);
        let table = table.with_context(|| format!("there is no table {}", settings.table))?;
        let queue = match &settings.on_failure {
            None => None,
            Some(arn) => {
                let queue = project.queues.iter().find(|q| q.arn == *arn);
                let queue = queue.with_context(|| {
                    format!("its on-failure destination {arn} is no queue of the template")
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

    /// Settles where a mapping that has never run starts. Its shards so far start at
    /// `StartingPosition`, later ones at their beginning.
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

    /// Runs forever: every shard, a parent before its children.
    pub(super) async fn run(self: Arc<Self>, mut latest: Latest) {
        let mut running: FuturesUnordered<BoxFuture<'static, String>> = FuturesUnordered::new();
        let mut started = HashSet::new();
        loop {
            let shards = match self.source.shards(&self.stream_arn).await {
                Ok(shards) => {
                    self.forget_trimmed(&shards);
                    shards
                }
                Err(error) => {
                    self.say(&format!("the stream cannot be read: {error:#}"));
                    Vec::new()
                }
            };
            for shard in &shards {
                if !started.contains(&shard.id) && self.is_due(shard, &shards) {
                    started.insert(shard.id.clone());
                    running.push(Box::pin(
                        self.clone().shard(shard.id.clone(), latest.remove(&shard.id)),
                    ));
                }
            }
            match running.next().await {
                Some(finished) => self.finished(&finished),
                None => tokio::time::sleep(self.pace.poll).await,
            }
        }
    }

    /// Whether a shard is to be read now: it is not dealt with, and its parent is, or is gone.
    fn is_due(&self, shard: &Shard, all: &[Shard]) -> bool {
        let finished =
            |id: &str| self.checkpoints.read(|s| s.shards.get(id).is_some_and(|s| s.finished));
        let parent = all.iter().find(|s| Some(&s.id) == shard.parent.as_ref());
        !finished(&shard.id) && parent.is_none_or(|parent| finished(&parent.id))
    }

    /// Reads a shard to its end, and returns its id.
    async fn shard(self: Arc<Self>, id: String, latest: Option<String>) -> String {
        let lanes = self.settings.parallelization.max(1);
        self.keep(|state| {
            let shard = state.shards.remove(&id).unwrap_or_default().with_lanes(lanes);
            state.shards.insert(id.clone(), shard);
        });
        join_all((0..lanes).map(|index| Lane::new(self.clone(), &id, index, latest.clone()).run()))
            .await;
        id
    }

    /// Remembers that a shard is dealt with.
    fn finished(&self, id: &str) {
        self.keep(|state| {
            if let Some(shard) = state.shards.get_mut(id) {
                shard.finished = true;
            }
        });
    }

    /// Forgets shards that are dealt with and no longer there.
    fn forget_trimmed(&self, all: &[Shard]) {
        let trimmed =
            |id: &String, shard: &ShardState| shard.finished && all.iter().all(|s| s.id != *id);
        if self.checkpoints.read(|s| s.shards.iter().any(|(id, shard)| trimmed(id, shard))) {
            self.keep(|state| state.shards.retain(|id, shard| !trimmed(id, shard)));
        }
    }

    fn keep(&self, update: impl FnOnce(&mut State)) {
        if let Err(error) = self.checkpoints.update(update) {
            self.say(&format!("its progress could not be kept: {error:#}"));
        }
    }

    pub(super) fn say(&self, text: &str) {
        self.log.line("streams", None, &format!("{}: {text}", self.settings.name));
    }
}
