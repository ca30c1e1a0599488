//! Reads one shard of a stream for one event source mapping. A mapping with a
//! `ParallelizationFactor` has that many readers per shard, its lanes. Each item belongs to one
//! lane, and the other lanes skip its records. So the changes of an item stay in order, and lanes
//! do not wait for each other.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::delivery::deliver;
use super::event::Record;
use super::mapping::Mapping;
use super::source::Position;
use crate::dynamodb::RETENTION;

/// The most bytes of records in one payload. Lambda's limit is 6 MB, and the JSON around the
/// records takes a little.
const MAX_PAYLOAD: usize = 6 * 1024 * 1024 - 1024;

/// One lane of a mapping, reading one shard.
pub struct ShardReader {
    mapping: Arc<Mapping>,
    shard_id: String,
    /// The number of this lane, from 0.
    lane: usize,
    /// Signals each write to the table. `None` for a database on AWS, whose writes the local cloud
    /// does not see.
    writes: Option<watch::Receiver<()>>,
    /// The position of the last record that was read.
    position: Position,
    /// The iterator for the next read. `None` when a new one must be requested at `position`.
    iterator: Option<String>,
    /// Records older than this time (seconds since 1970) are skipped. Only set when reading starts
    /// at the oldest record.
    skip_before: Option<i64>,
    /// Whether the shard is closed and has been read to its end.
    ended: bool,
    /// Records that were read but are not in a batch yet.
    pending: VecDeque<Record>,
    /// The last read error, kept so that it is logged once and not on every poll.
    last_error: Option<String>,
}

impl ShardReader {
    /// Returns the reader of one lane, at its checkpoint. `latest` is the iterator of a shard that
    /// has no checkpoint and is read from its end.
    pub fn new(mapping: Arc<Mapping>, shard_id: &str, lane: usize, latest: Option<String>) -> Self {
        let checkpoint = mapping
            .checkpoints
            .read(|s| s.shards.get(shard_id).and_then(|s| s.lanes.get(lane).cloned().flatten()));
        Self {
            shard_id: shard_id.to_owned(),
            lane,
            writes: mapping.writes.clone(),
            position: checkpoint.map_or(Position::TrimHorizon, Position::After),
            iterator: latest,
            skip_before: None,
            ended: false,
            pending: VecDeque::new(),
            last_error: None,
            mapping,
        }
    }

    /// Reads and delivers until the shard is closed and all its records are finished.
    pub async fn run(mut self) {
        while let Some(batch) = self.next_batch().await {
            deliver(&self.mapping, &self.shard_id, batch, |sequence_number| {
                self.checkpoint(sequence_number)
            })
            .await;
        }
    }

    /// Waits for a batch: a full one, or what was read by the end of the batching window. Returns
    /// `None` once the shard is closed and nothing is pending.
    async fn next_batch(&mut self) -> Option<Vec<Record>> {
        let (batch_size, window) =
            (self.mapping.settings.batch_size.max(1), self.mapping.settings.batch_window);
        let mut deadline: Option<Instant> = None;
        loop {
            let room = batch_size.saturating_sub(self.pending.len());
            let read = if self.ended || room == 0 { 0 } else { self.read(room).await };
            if !self.pending.is_empty() {
                let deadline = *deadline.get_or_insert_with(|| Instant::now() + window);
                let full = self.pending.len() >= batch_size
                    || self.pending.iter().map(|r| r.size).sum::<usize>() >= MAX_PAYLOAD;
                if full || self.ended || Instant::now() >= deadline {
                    return Some(self.take_batch(batch_size));
                }
            }
            if self.ended {
                return None;
            }
            if read == 0 {
                self.checkpoint_skipped_records();
                self.wait(deadline).await;
            }
        }
    }

    fn take_batch(&mut self, batch_size: usize) -> Vec<Record> {
        let (mut batch, mut size) = (Vec::new(), 0);
        while batch.len() < batch_size
            && let Some(record) =
                self.pending.pop_front_if(|r| batch.is_empty() || size + r.size < MAX_PAYLOAD)
        {
            // One more byte for the comma.
            size += record.size + 1;
            batch.push(record);
        }
        batch
    }

    /// Reads up to `limit` records, keeps those of this lane, and returns how many were read.
    async fn read(&mut self, limit: usize) -> usize {
        match self.try_read(limit).await {
            Ok(read) => {
                self.last_error = None;
                read
            }
            Err(error) => {
                // The iterator has expired or the database can't be reached. The next read
                // continues from `position`.
                self.iterator = None;
                let error = format!("{error:#}");
                if self.last_error.as_ref() != Some(&error) {
                    self.mapping.log_line(&format!("can't read the stream: {error}"));
                    self.last_error = Some(error);
                }
                0
            }
        }
    }

    async fn try_read(&mut self, limit: usize) -> anyhow::Result<usize> {
        let mapping = self.mapping.clone();
        let iterator = match self.iterator.take() {
            Some(iterator) => iterator,
            None => {
                self.skip_before = match self.position {
                    Position::TrimHorizon => mapping
                        .checkpoints
                        .read(|s| s.shards.get(&self.shard_id).and_then(|s| s.since)),
                    _ => None,
                };
                mapping.source.iterator(&mapping.stream_arn, &self.shard_id, &self.position).await?
            }
        };
        let page = mapping.source.records(&iterator, limit, &mapping.event_source_arn).await?;
        self.ended = page.next.is_none();
        self.iterator = page.next;
        let read = page.records.len();
        for record in page.records {
            self.position = Position::After(record.sequence_number.clone());
            if self.delivers(&record) {
                self.pending.push_back(record);
            }
        }
        Ok(read)
    }

    /// Whether this lane delivers a record to the function.
    fn delivers(&self, record: &Record) -> bool {
        let lanes = self.mapping.settings.parallelization.max(1);
        let oldest = jiff::Timestamp::now().as_second()
            - i64::try_from(RETENTION.as_secs()).unwrap_or(i64::MAX);
        record.key_hash as usize % lanes == self.lane
            && record.created >= self.skip_before.unwrap_or(i64::MIN).max(oldest)
            && self.mapping.filter.passes(&record.event)
    }

    /// Moves the checkpoint past skipped records if no record of this lane is pending.
    fn checkpoint_skipped_records(&self) {
        if self.pending.is_empty()
            && let Position::After(sequence_number) = &self.position
        {
            self.checkpoint(sequence_number);
        }
    }

    /// Stores that this lane has finished every record up to this sequence number.
    fn checkpoint(&self, sequence_number: &str) {
        let (shard_id, lane) = (&self.shard_id, self.lane);
        let is_current = self.mapping.checkpoints.read(|s| {
            s.shards
                .get(shard_id)
                .and_then(|s| s.lanes.get(lane))
                .is_some_and(|l| l.as_deref() == Some(sequence_number))
        });
        if is_current {
            return;
        }
        let saved = self.mapping.checkpoints.update(|state| {
            let shard = state.shards.get_mut(shard_id);
            if let Some(checkpoint) = shard.and_then(|shard| shard.lanes.get_mut(lane)) {
                *checkpoint = Some(sequence_number.to_owned());
            }
        });
        if let Err(error) = saved {
            self.mapping.log_line(&format!("can't save its progress: {error:#}"));
        }
    }

    /// Waits until the table is written, the next poll is due, or the batching window ends
    /// (`deadline`).
    async fn wait(&mut self, deadline: Option<Instant>) {
        let until = Instant::now() + self.mapping.pace.poll;
        let until = deadline.map_or(until, |deadline| until.min(deadline));
        // After a failed read, writes must not make it retry faster than the poll interval.
        match &mut self.writes {
            Some(writes) if self.last_error.is_none() => {
                // The sender lives as long as the database, so an error means that everything is
                // stopping.
                drop(tokio::time::timeout_at(until, writes.changed()).await);
            }
            _ => {
                tokio::time::sleep_until(until.max(Instant::now() + Duration::from_millis(10)))
                    .await
            }
        }
    }
}
