//! The state of a running stand-in.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::now;
use crate::error::Error;
use crate::faults::Faults;
use crate::log::Log;
use crate::options::Options;
use crate::outbox::Outbox;
use crate::store::Store;
use crate::transaction::{Cause, Transaction};

/// The state of a running stand-in.
pub(crate) struct Stripe {
    pub(crate) options: Options,
    /// The stand-in's own URL.
    pub(crate) base_url: String,
    pub(crate) log: Log,
    pub(crate) stop: CancellationToken,
    pub(crate) faults: Faults,
    pub(crate) outbox: Outbox,
    /// Posts webhooks.
    pub(crate) client: Client<HttpConnector, Full<Bytes>>,
    /// The background tasks. A stop waits until they have ended.
    pub(crate) tasks: TaskTracker,
    store: Mutex<Store>,
    /// The idempotency keys of calls in progress.
    keys_in_use: Mutex<HashSet<String>>,
}

impl Stripe {
    /// Opens the store. The stand-in works until `stop` is cancelled.
    ///
    /// # Errors
    /// When the data file cannot be opened or is damaged.
    pub(crate) fn open(
        options: Options,
        base_url: String,
        log: Log,
        stop: CancellationToken,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            store: Mutex::new(Store::open(options.data_file.as_deref())?),
            outbox: Outbox::new(&options.webhook_secret),
            options,
            base_url,
            log,
            stop,
            faults: Faults::default(),
            // Connections are not reused. An endpoint under development restarts often, and each
            // restart would fail one delivery on an old connection.
            client: Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http(),
            tasks: TaskTracker::new(),
            keys_in_use: Mutex::default(),
        })
    }

    /// Locks the store. A poisoned lock can be ignored, because nothing panics halfway through a
    /// write.
    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Locks the idempotency keys of calls in progress.
    pub(crate) fn keys_in_use(&self) -> MutexGuard<'_, HashSet<String>> {
        self.keys_in_use.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the store in one transaction, which is stored as a whole or not at all.
    ///
    /// # Errors
    /// 500 when the data file cannot be written.
    pub(crate) fn change<T>(
        &self,
        cause: Cause,
        act: impl FnOnce(&mut Transaction<'_>) -> T,
    ) -> Result<T, Error> {
        let mut store = self.store();
        let result = act(&mut Transaction {
            store: &mut store,
            options: &self.options,
            base_url: &self.base_url,
            now: now(),
            cause,
            events: Vec::new(),
            unsettled: Vec::new(),
        });
        store.commit().map_err(|error| {
            self.log.line(None, &format!("cannot write the data file: {error}"));
            Error::internal("The stand-in could not write its data file; its log says why.")
        })?;
        Ok(result)
    }

    /// Runs a task in the background until it ends or the stand-in stops.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            stop.run_until_cancelled(task).await;
        });
    }
}
