//! How webhooks are sent, and the events kept back from sending.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::ids;

/// What happens to new events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mode {
    /// They are sent at once.
    #[default]
    Deliver,
    /// They are held until someone releases them.
    Hold,
    /// They are never sent.
    Drop,
    /// They are collected for [`reorder_window`](crate::Options::reorder_window), then sent one
    /// after the other, newest first.
    Reverse,
    /// They are collected in the same way, then sent in random order.
    Shuffle,
}

/// How webhooks are sent.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Settings {
    pub(crate) mode: Mode,
    /// How long each delivery is delayed.
    pub(crate) delay_ms: u64,
    /// How often each event is delivered.
    pub(crate) repeat: u32,
    /// The secrets that sign webhooks, each with a `v1` of its own.
    #[serde(skip)]
    pub(crate) secrets: Vec<String>,
}

/// The settings, and the ids of the events that they keep back.
#[derive(Debug)]
pub(crate) struct OutboxState {
    pub(crate) settings: Settings,
    /// Events that wait for a release.
    pub(crate) held: Vec<String>,
    /// Events that wait to be reordered.
    pub(crate) collected: Vec<String>,
}

/// The outbox of the webhooks. It starts empty after a restart: the store knows which events are
/// pending.
#[derive(Debug)]
pub(crate) struct Outbox(Mutex<OutboxState>);

impl Outbox {
    /// Returns an outbox that sends at once, signed with `secret`.
    pub(crate) fn new(secret: &str) -> Self {
        let secrets = vec![secret.to_owned()];
        let settings = Settings { mode: Mode::default(), delay_ms: 0, repeat: 1, secrets };
        Self(Mutex::new(OutboxState { settings, held: Vec::new(), collected: Vec::new() }))
    }

    /// Locks the outbox.
    pub(crate) fn lock(&self) -> MutexGuard<'_, OutboxState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Puts events in random order.
pub(crate) fn shuffle(events: &mut [String]) {
    events.sort_by_cached_key(|_| ids::random(8));
}
