//! The state that the tasks of one WebSocket API share.

use std::sync::Arc;

use anyhow::Result;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::faults::Rule;
use super::quotas::Quotas;
use super::registry::Registry;
use super::route::Selection;
use crate::faults::Faults;
use crate::invoke::Invoke;
use crate::log::Log;
use crate::model::WebSocketApi;

/// A WebSocket API with its open connections and everything that is needed to serve it.
pub(super) struct Gateway {
    pub(super) api: WebSocketApi,
    pub(super) selection: Selection,
    pub(super) quotas: Quotas,
    pub(super) invoke: Arc<dyn Invoke>,
    pub(super) log: Log,
    pub(super) open: Registry,
    pub(super) faults: Arc<Faults<Rule>>,
    pub(super) tasks: TaskTracker,
    pub(super) shutdown: CancellationToken,
}

impl Gateway {
    /// Returns the gateway of `api`, with no open connections.
    ///
    /// # Errors
    /// When the route selection expression is not of the form `$request.body.<path>`.
    pub(super) fn new(
        api: WebSocketApi,
        quotas: Quotas,
        invoke: Arc<dyn Invoke>,
        log: Log,
        shutdown: CancellationToken,
    ) -> Result<Self> {
        Ok(Self {
            selection: Selection::parse(&api.route_selection)?,
            api,
            quotas,
            invoke,
            log,
            open: Registry::default(),
            faults: Arc::default(),
            tasks: TaskTracker::new(),
            shutdown,
        })
    }
}
