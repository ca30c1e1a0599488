//! The embedded database: `dynoxide`, on disk or in memory. It listens on a port that only the
//! proxy knows.

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

/// How often expired items are deleted. AWS only promises "within a few days". A sweep reads whole
/// tables, which is too slow to do much more often.
const SWEEP_EVERY: Duration = Duration::from_secs(60);
/// How often the stream log is trimmed.
const TRIM_EVERY: Duration = Duration::from_secs(60 * 60);

/// The open database. Dropping it stops the server and closes the database.
pub struct Embedded {
    database: Database,
    /// The path of its file, or the SQLite URI of an in-memory database.
    path: String,
    in_memory: bool,
    /// The address it listens on.
    pub upstream: Upstream,
    _stop: tokio::sync::oneshot::Sender<()>,
}

/// Returns the SQLite URI of a new in-memory database. It uses SQLite's shared cache, so that
/// several connections can open it.
pub fn memory_path() -> String {
    format!("file:local-cloud-{}?mode=memory&cache=shared", Uuid::now_v7())
}

impl Embedded {
    /// Opens the database in `directory`, or a new one in memory, and starts its server.
    ///
    /// # Errors
    /// When the directory can't be created, its path isn't UTF-8, or the database can't be opened
    /// or served.
    pub async fn open(directory: Option<&Path>) -> anyhow::Result<Self> {
        let path = match directory {
            Some(directory) => {
                std::fs::create_dir_all(directory)
                    .with_context(|| format!("can't create {}", directory.display()))?;
                let path = directory.join("dynamodb.sqlite");
                path.to_str()
                    .with_context(|| format!("{} is not UTF-8", path.display()))?
                    .to_owned()
            }
            None => memory_path(),
        };
        let database =
            Database::new(&path).map_err(|e| anyhow!("can't open the database {path}: {e}"))?;
        // Despite its name, this is dynoxide's only way to set `PRAGMA synchronous = NORMAL`. With
        // the write-ahead log, acknowledged writes then survive a killed process, though not a
        // power cut, and writes don't wait for the disk.
        database
            .disable_bulk_loading()
            .map_err(|e| anyhow!("can't set up the database {path}: {e}"))?;
        stream_log::prepare(&path)?;

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

    /// Periodically deletes expired items and trims the stream log, until the handle is dropped.
    pub fn spawn_maintenance(&self, writes: TableWrites, log: Log) -> AbortOnDropHandle<()> {
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
                            let text = format!("TTL: deleted {count} expired items");
                            log.line("dynamodb", None, &text);
                            writes.notify_all();
                        }
                        Err(error) => {
                            log.line("dynamodb", None, &format!("TTL sweep failed: {error}"));
                        }
                    },
                    // An in-memory database isn't trimmed: trimming opens a second connection, and
                    // writes to such a database would fail meanwhile. It rarely lives for a day
                    // anyway.
                    _ = trim.tick(), if !in_memory => {
                        let path = path.clone();
                        let trim = tokio::task::spawn_blocking(move || stream_log::trim(&path));
                        if let Ok(Err(error)) = trim.await {
                            log.line("dynamodb", None, &format!("can't trim the streams: {error}"));
                        }
                    }
                }
            }
        }))
    }

    /// Deletes the expired items now, and returns how many there were.
    #[cfg(test)]
    pub async fn sweep(&self) -> anyhow::Result<usize> {
        sweep_expired(&self.database).await
    }
}

async fn sweep_expired(database: &Database) -> anyhow::Result<usize> {
    let database = database.clone();
    tokio::task::spawn_blocking(move || database.sweep_ttl()).await?.map_err(|e| anyhow!("{e}"))
}

/// Serves the database on a thread with its own runtime, because each operation blocks its thread.
/// dynoxide runs one operation at a time anyway.
fn serve(
    listener: std::net::TcpListener,
    database: Database,
    stopped: tokio::sync::oneshot::Receiver<()>,
) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let listener = {
        let _guard = runtime.enter();
        TcpListener::from_std(listener)?
    };
    std::thread::Builder::new().name("dynamodb".into()).spawn(move || {
        let stopped = async move { drop(stopped.await) };
        // The server only returns once it is stopped.
        drop(runtime.block_on(dynoxide::server::serve_with_shutdown(listener, database, stopped)));
    })?;
    Ok(())
}
