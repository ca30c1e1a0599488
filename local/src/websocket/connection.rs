//! The state of one connection, and its queue of outgoing messages.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use super::end::End;
use super::id;
use super::quotas::Quotas;

/// The `requestContext.identity` of events, and the `identity` in responses to `GET @connections`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Identity {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user_agent: Option<String>,
    pub(super) source_ip: String,
}

/// The part of a connection that other tasks use.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) id: String,
    pub(super) connected_at: Timestamp,
    pub(super) identity: Identity,
    /// The `Host` that the client connected to.
    pub(super) domain_name: String,
    opened: Instant,
    /// The milliseconds from `opened` to the last message.
    last_message_after: AtomicU64,
    queue: mpsc::Sender<Outgoing>,
}

/// Something that a connection's task has to send.
#[derive(Debug)]
pub(super) enum Outgoing {
    /// A message. It is sent as text if it is UTF-8, and as binary otherwise.
    Message(Bytes),
    /// The end of the connection, after all messages queued before it.
    Close(End),
}

/// Why a message could not be queued.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SendError {
    /// The connection has ended.
    Gone,
    /// The client doesn't read, and its buffer is full.
    BufferFull,
}

impl Connection {
    /// Returns a new connection, and the receiving end of its queue.
    pub(super) fn new(
        parts: &Parts,
        source_ip: String,
        quotas: &Quotas,
    ) -> (Arc<Self>, mpsc::Receiver<Outgoing>) {
        let header = |name| {
            parts
                .headers
                .get(name)
                .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let (queue, outgoing) = mpsc::channel(quotas.buffer_messages);
        let connection = Self {
            id: id::new(),
            connected_at: Timestamp::now(),
            identity: Identity { source_ip, user_agent: header(http::header::USER_AGENT) },
            domain_name: header(http::header::HOST).unwrap_or_default(),
            opened: Instant::now(),
            last_message_after: AtomicU64::new(0),
            queue,
        };
        (Arc::new(connection), outgoing)
    }

    /// Queues `outgoing` for the client.
    ///
    /// # Errors
    /// When the connection has ended, or the queue stays full for `wait`.
    pub(super) async fn send(&self, outgoing: Outgoing, wait: Duration) -> Result<(), SendError> {
        match timeout(wait, self.queue.send(outgoing)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(SendError::Gone),
            Err(_) => Err(SendError::BufferFull),
        }
    }

    /// Records that a message was sent or received now.
    pub(super) fn touch(&self) {
        let after = u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_message_after.fetch_max(after, Ordering::Relaxed);
    }

    /// Returns the time from the opening of the connection to its last message.
    fn last_message_after(&self) -> Duration {
        Duration::from_millis(self.last_message_after.load(Ordering::Relaxed))
    }

    /// Returns the time since the last message in either direction.
    pub(super) fn idle_for(&self) -> Duration {
        self.opened.elapsed().saturating_sub(self.last_message_after())
    }

    /// Returns when the last message was sent or received.
    pub(super) fn last_active_at(&self) -> Timestamp {
        let after = SignedDuration::try_from(self.last_message_after()).unwrap_or_default();
        self.connected_at.saturating_add(after).unwrap_or(self.connected_at)
    }
}
