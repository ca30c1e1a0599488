//! The limits of a WebSocket API.

use std::time::Duration;

/// API Gateway's quotas for WebSocket APIs, with AWS's values as defaults, and limits of this
/// implementation.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html>
#[derive(Debug, Clone)]
pub struct Quotas {
    /// The largest message in either direction, in bytes. A larger one from a client closes its
    /// connection with 1009. A larger one to `@connections` is rejected with 413.
    pub message_bytes: usize,
    /// The largest frame, in bytes. A larger one from a client closes its connection with 1009.
    /// Messages to clients are split into frames of this size.
    pub frame_bytes: usize,
    /// How long a connection can go without a message in either direction before it is closed with
    /// 1001.
    pub idle_timeout: Duration,
    /// How long a connection can last before it is closed with 1001.
    pub max_duration: Duration,
    /// How long a function can take.
    pub integration_timeout: Duration,
    /// How many messages can wait for one client. AWS doesn't document the size of its buffer.
    pub buffer_messages: usize,
    /// How long a message waits for space in that buffer before `@connections` answers 429. Not a
    /// quota of AWS.
    pub buffer_wait: Duration,
    /// How long writing one frame can take before the connection of the stuck client is closed with
    /// 1008. Not a quota of AWS.
    pub slow_client: Duration,
    /// How long a client can take to answer a close frame before the TCP connection is dropped. Not
    /// a quota of AWS.
    pub close_handshake: Duration,
    /// How long a shutdown waits for connections to close. Not a quota of AWS.
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
