//! The settings of webhooks, and the events that are held or about to be reordered.

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
    /// They are held until the control API releases them.
    Hold,
    /// They are never sent.
    Drop,
    /// They are collected for [`reorder_window`](crate::Options::reorder_window), then sent one
    /// after the other, newest first.
    Reverse,
    /// They are collected in the same way, then sent in random order.
    Shuffle,
}

/// The settings of webhooks.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Settings {
    pub(crate) mode: Mode,
    /// How long each delivery is delayed.
    pub(crate) delay_ms: u64,
    /// How often each event is delivered.
    pub(crate) repeat: u32,
    /// The secrets that webhooks are signed with. Each makes its own `v1` signature.
    #[serde(skip)]
    pub(crate) secrets: Vec<String>,
}

/// The settings, and the ids of the events that are not sent yet because of them.
#[derive(Debug)]
pub(crate) struct OutboxState {
    pub(crate) settings: Settings,
    /// Events that wait until they are released.
    pub(crate) held: Vec<String>,
    /// Events that wait to be reordered.
    pub(crate) collected: Vec<String>,
}

/// The outbox of the webhooks. After a restart it starts empty, because the store knows which
/// events are pending.
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
