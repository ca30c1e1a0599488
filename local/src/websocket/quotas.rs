//! The limits of a WebSocket API.

use std::time::Duration;

/// API Gateway's quotas for WebSocket APIs, with AWS's values as defaults, and this
/// implementation's own bounds.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html>
#[derive(Debug, Clone)]
pub struct Quotas {
    /// Largest message in either direction, in bytes: a larger one from a client closes its
    /// connection with 1009, a larger one to `@connections` is refused with 413.
    pub message_bytes: usize,
    /// Largest frame in bytes: a larger one from a client closes its connection with 1009; messages
    /// to clients are split.
    pub frame_bytes: usize,
    /// How long a connection may be without a message in either direction before it is closed with
    /// 1001.
    pub idle_timeout: Duration,
    /// How long a connection may last before it is closed with 1001.
    pub max_duration: Duration,
    /// How long a function may take.
    pub integration_timeout: Duration,
    /// How many messages wait for one client (not AWS's: its buffer's size is not documented).
    pub buffer_messages: usize,
    /// How long a message waits for room in that buffer before `@connections` answers 429 (ours).
    pub buffer_wait: Duration,
    /// How long writing one frame may take before the client is taken for stuck and closed with
    /// 1008 (ours).
    pub slow_client: Duration,
    /// How long a client may take to answer a close frame before the TCP connection is dropped
    /// (ours).
    pub close_handshake: Duration,
    /// How long a shutdown waits for connections to close (ours).
    pub drain: Duration,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            message_bytes: 128 * 1024,
            frame_bytes: 32 * 1024,
            idle_timeout: Duration::from_mins(10),
            max_duration: Duration::from_hours(2),
            integration_timeout: Duration::from_secs(29),
            buffer_messages: 64,
            buffer_wait: Duration::from_secs(1),
            slow_client: Duration::from_secs(10),
            close_handshake: Duration::from_secs(2),
            drain: Duration::from_secs(5),
        }
    }
}
