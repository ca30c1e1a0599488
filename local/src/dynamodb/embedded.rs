//! The embedded database, `dynoxide`: on disk or in memory, served on a port that only the proxy
//! uses.

use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, anyhow};
use dynoxide::Database;
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

use super::stream_log;
use super::upstream::Upstream;
use super::writes::TableWrites;
use crate::log::Log;

/// How often expired items are looked for. AWS promises "within a few days"; a sweep reads whole
/// tables.
const SWEEP_EVERY: Duration = Duration::from_secs(60);
/// How often the stream log is trimmed.
const TRIM_EVERY: Duration = Duration::from_secs(60 * 60);

/// The open database. Dropped, it stops being served and is closed.
pub struct Embedded {
    database: Database,
    /// Its file, or its name among the in-memory databases of this process.
    path: String,
    in_memory: bool,
    /// Where it answers.
    pub upstream: Upstream,
    _stop: tokio::sync::oneshot::Sender<()>,
}

/// A name for a fresh in-memory database to which more than one connection can be opened (SQLite's
/// shared cache).
pub fn memory_path() -> String {
    format!("file:local-cloud-{}?mode=memory&cache=shared", Uuid::now_v7())
}

impl Embedded {
    /// Opens the database in `directory`, or a fresh one in memory, and serves it.
    pub async fn open(directory: Option<&Path>) -> anyhow::Result<Self> {
        let path = match directory {
            Some(directory) => {
                std::fs::create_dir_all(directory)
                    .with_context(|| format!("cannot create {}", directory.display()))?;
                let path = directory.join("dynamodb.sqlite");
                path.to_str()
                    .with_context(|| format!("{} is not UTF-8", path.display()))?
                    .to_owned()
            }
            None => memory_path(),
        };
        let database =
            Database::new(&path).map_err(|e| anyhow!("cannot open the database {path}: {e}"))?;
        // Despite its name, this is the only way to set `PRAGMA synchronous = NORMAL`. With the
        // write-ahead log, acknowledged writes then survive a crash of the process, though not a
        // power cut, and a write does not wait for the disk.
        database
            .disable_bulk_loading()
            .map_err(|e| anyhow!("cannot set up the database {path}: {e}"))?;
        stream_log::index(&path)?;

        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?.into_std()?;
        let authority = listener.local_addr()?.to_string().parse()?;
        let (stop, stopped) = tokio::sync::oneshot::channel();
        serve(listener, database.clone(), stopped)?;
        Ok(Self {
            database,
            path,
            in_memory: directory.is_none(),
            upstream: Upstream::new(authority),
            _stop: stop,
        })
    }

    /// Deletes expired items and trims the streams, again and again until the handle is dropped.
    pub fn keep_house(&self, writes: TableWrites, log: Log) -> AbortOnDropHandle<()> {
        let (database, path, in_memory) =
            (self.database.clone(), self.path.clone(), self.in_memory);
        AbortOnDropHandle::new(tokio::spawn(async move {
            let (mut sweep, mut trim) =
                (tokio::time::interval(SWEEP_EVERY), tokio::time::interval(TRIM_EVERY));
            loop {
                tokio::select! {
                    _ = sweep.tick() => match sweep_expired(&database).await {
                        Ok(0) => {}
                        Ok(count) => {
                            log.line("dynamodb", None, &format!("TTL: {count} expired items deleted"));
                            writes.all_written();
                        }
                        Err(error) => log.line("dynamodb", None, &format!("TTL sweep failed: {error}")),
                    },
                    // A second connection to shared memory would make writes fail while it deletes;
                    // memory does not last a day.
                    _ = trim.tick(), if !in_memory => {
                        let path = path.clone();
                        if let Ok(Err(error)) = tokio::task::spawn_blocking(move || stream_log::trim(&path)).await {
                            log.line("dynamodb", None, &format!("streams could not be trimmed: {error}"));
                        }
                    }
                }
            }
        }))
    }

    /// Deletes what has expired by now.
    #[cfg(test)]
    pub async fn sweep(&self) -> anyhow::Result<usize> {
        sweep_expired(&self.database).await
    }
}

async fn sweep_expired(database: &Database) -> anyhow::Result<usize> {
    let database = database.clone();
    tokio::task::spawn_blocking(move || database.sweep_ttl()).await?.map_err(|e| anyhow!("{e}"))
}

/// Serves on a thread and a runtime of its own, because every operation blocks its thread. The
/// database runs one operation at a time anyway.
fn serve(
    listener: std::net::TcpListener,
    database: Database,
    stopped: tokio::sync::oneshot::Receiver<()>,
) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let listener = {
        let _inside = runtime.enter();
        TcpListener::from_std(listener)?
    };
    std::thread::Builder::new().name("dynamodb".into()).spawn(move || {
        let stopped = async move { drop(stopped.await) };
        // It ends only when it is stopped.
        drop(runtime.block_on(dynoxide::server::serve_with_shutdown(listener, database, stopped)));
    })?;
    Ok(())
}
