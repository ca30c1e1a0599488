//! Reads the shards of one mapping's stream concurrently, but a parent before its children.

use std::collections::HashSet;
use std::sync::Arc;

use futures::StreamExt;
use futures::future::{BoxFuture, join_all};
use futures::stream::FuturesUnordered;

use super::checkpoint::ShardState;
use super::mapping::{Latest, Mapping};
use super::shard_reader::ShardReader;
use super::source::Shard;

/// Reads every shard of the mapping's stream, and never returns.
pub(super) async fn run(mapping: Arc<Mapping>, mut latest: Latest) {
    let mut running: FuturesUnordered<BoxFuture<'static, String>> = FuturesUnordered::new();
    let mut started = HashSet::new();
    loop {
        let shards = match mapping.source.shards(&mapping.stream_arn).await {
            Ok(shards) => {
                forget_trimmed(&mapping, &shards);
                shards
            }
            Err(error) => {
                mapping.log_line(&format!("can't read the stream: {error:#}"));
                Vec::new()
            }
        };
        for shard in &shards {
            if !started.contains(&shard.id) && is_due(&mapping, shard, &shards) {
                started.insert(shard.id.clone());
                let latest = latest.remove(&shard.id);
                running.push(Box::pin(read(mapping.clone(), shard.id.clone(), latest)));
            }
        }
        match running.next().await {
            Some(finished) => mark_finished(&mapping, &finished),
            None => tokio::time::sleep(mapping.pace.poll).await,
        }
    }
}

/// Whether to read a shard now, because it is not finished and its parent is finished or gone.
fn is_due(mapping: &Mapping, shard: &Shard, all: &[Shard]) -> bool {
    let finished =
        |id: &str| mapping.checkpoints.read(|s| s.shards.get(id).is_some_and(|s| s.finished));
    let parent = all.iter().find(|s| Some(&s.id) == shard.parent.as_ref());
    !finished(&shard.id) && parent.is_none_or(|parent| finished(&parent.id))
}

/// Reads a shard to its end and returns its id.
async fn read(mapping: Arc<Mapping>, id: String, latest: Option<String>) -> String {
    let lanes = mapping.settings.parallelization.max(1);
    mapping.update_checkpoints(|state| {
        let shard = state.shards.remove(&id).unwrap_or_default().with_lanes(lanes);
        state.shards.insert(id.clone(), shard);
    });
    let readers =
        (0..lanes).map(|lane| ShardReader::new(mapping.clone(), &id, lane, latest.clone()).run());
    join_all(readers).await;
    id
}

fn mark_finished(mapping: &Mapping, id: &str) {
    mapping.update_checkpoints(|state| {
        if let Some(shard) = state.shards.get_mut(id) {
            shard.finished = true;
        }
    });
}

/// Forgets finished shards that the stream no longer has.
fn forget_trimmed(mapping: &Mapping, all: &[Shard]) {
    let trimmed =
        |id: &String, shard: &ShardState| shard.finished && all.iter().all(|s| s.id != *id);
    if mapping.checkpoints.read(|s| s.shards.iter().any(|(id, shard)| trimmed(id, shard))) {
        mapping.update_checkpoints(|state| state.shards.retain(|id, shard| !trimmed(id, shard)));
    }
}
