//! The progress of each event source mapping, stored on disk so that the mapping continues after a
//! restart where it stopped.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::Context;
use serde::{Deserialize, Serialize};

/// The progress of one mapping.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The ARN of the stream. If the table is created again, its new stream starts without
    /// checkpoints.
    pub stream_arn: String,
    /// The shards seen so far, by id.
    pub shards: BTreeMap<String, ShardState>,
}

/// The progress in one shard.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardState {
    /// For a mapping that starts at `LATEST`: records older than this time (seconds since 1970) are
    /// skipped.
    pub since: Option<i64>,
    /// For each lane, the sequence number of the last finished record. There are as many lanes as
    /// the mapping's `ParallelizationFactor`.
    pub lanes: Vec<Option<String>>,
    /// Whether the shard is closed and all its records are finished.
    pub finished: bool,
}

/// The progress of one mapping, and its file (`None` for an ephemeral run).
#[derive(Debug)]
pub struct Checkpoints {
    file: Option<PathBuf>,
    state: Mutex<State>,
}

impl Checkpoints {
    /// Opens the progress of `mapping` in `directory`, or in memory if there is no directory.
    ///
    /// # Errors
    /// When the directory can't be created, or the file can't be read or is damaged.
    pub fn open(directory: Option<&Path>, mapping: &str) -> anyhow::Result<Self> {
        let Some(directory) = directory else {
            return Ok(Self { file: None, state: Mutex::default() });
        };
        std::fs::create_dir_all(directory)
            .with_context(|| format!("can't create {}", directory.display()))?;
        let file = directory.join(format!("{}.json", mapping.replace('/', ".")));
        let state = match std::fs::read(&file) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .with_context(|| format!("{} is damaged", file.display()))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => State::default(),
            Err(error) => {
                return Err(error).with_context(|| format!("can't read {}", file.display()));
            }
        };
        Ok(Self { file: Some(file), state: Mutex::new(state) })
    }

    /// Passes the state to `read` and returns its result.
    pub fn read<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the state and writes it to the file.
    ///
    /// # Errors
    /// When the file can't be written. The state in memory has changed nevertheless.
    pub fn update<T>(&self, update: impl FnOnce(&mut State) -> T) -> anyhow::Result<T> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let result = update(&mut state);
        if let Some(file) = &self.file {
            // The new file is renamed into place. A crash during the write leaves the old state, so
            // that records are delivered again instead of lost.
            let unfinished = file.with_extension("json.new");
            std::fs::write(&unfinished, serde_json::to_vec(&*state)?)
                .and_then(|()| std::fs::rename(&unfinished, file))
                .with_context(|| format!("can't write {}", file.display()))?;
        }
        Ok(result)
    }
}

impl ShardState {
    /// Returns the progress for `count` lanes. If the number has changed, keys are in other lanes
    /// than before, so every lane continues from the one furthest behind.
    pub fn with_lanes(mut self, count: usize) -> Self {
        if self.lanes.len() != count {
            let furthest_behind = self
                .lanes
                .iter()
                .min_by(|a, b| compare(a.as_deref(), b.as_deref()))
                .cloned()
                .flatten();
            self.lanes = vec![furthest_behind; count];
        }
        self
    }
}

/// Compares sequence numbers, which are decimal numbers of up to 40 digits. `None` comes first.
fn compare(a: Option<&str>, b: Option<&str>) -> std::cmp::Ordering {
    let key =
        |s: Option<&str>| s.map(|s| s.trim_start_matches('0').to_owned()).map(|s| (s.len(), s));
    key(a).cmp(&key(b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TempDir;

    #[test]
    fn the_state_survives_a_restart() {
        let dir = TempDir::new();
        let shard = ShardState { since: Some(5), lanes: vec![Some("7".into())], finished: false };
        let checkpoints = Checkpoints::open(Some(&dir.0), "live-notify/Orders").unwrap();
        checkpoints.update(|s| s.shards.insert("shard-1".into(), shard.clone())).unwrap();
        let reopened = Checkpoints::open(Some(&dir.0), "live-notify/Orders").unwrap();
        assert_eq!(reopened.read(|s| s.shards["shard-1"].clone()), shard);
        let other = Checkpoints::open(Some(&dir.0), "live-notify/Others").unwrap();
        assert_eq!(other.read(Clone::clone), State::default());
    }

    #[test]
    fn new_lanes_continue_from_the_one_furthest_behind() {
        let lanes = |lanes: &[Option<&str>]| ShardState {
            lanes: lanes.iter().map(|l| l.map(str::to_owned)).collect(),
            ..ShardState::default()
        };
        assert_eq!(lanes(&[Some("9"), Some("10")]).with_lanes(1), lanes(&[Some("9")]));
        assert_eq!(lanes(&[Some("9"), None]).with_lanes(3), lanes(&[None, None, None]));
        assert_eq!(lanes(&[Some("9"), Some("10")]).with_lanes(2), lanes(&[Some("9"), Some("10")]));
        assert_eq!(lanes(&[]).with_lanes(1), lanes(&[None]));
    }
}
