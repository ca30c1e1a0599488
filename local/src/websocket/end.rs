//! How a connection ended.

use std::borrow::Cow;

use tokio_tungstenite::tungstenite::error::{Error, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

/// The end of a connection, as `$disconnect` receives it. Codes are API Gateway's, see "WebSocket
/// API status codes" in
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-overview.html>.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct End {
    /// `disconnectStatusCode`.
    pub(super) code: u16,
    /// `disconnectReason`.
    pub(super) reason: Cow<'static, str>,
    /// Whether we send the close frame; otherwise the client sent one, or is gone.
    by_us: bool,
}

impl End {
    const fn ours(code: u16, reason: &'static str) -> Self {
        Self { code, reason: Cow::Borrowed(reason), by_us: true }
    }

    /// No message for the idle timeout, or the maximum duration is reached. The reason is AWS's.
    pub(super) const EXPIRED: Self = Self::ours(1001, "Going away");
    /// A binary frame, which API Gateway does not support.
    pub(super) const BINARY: Self = Self::ours(1003, "Binary messages are not supported");
    /// `DELETE @connections`.
    pub(super) const DELETED: Self = Self::ours(1000, "Connection Closed Normally");
    /// The client does not read what is sent to it.
    pub(super) const TOO_SLOW: Self = Self::ours(1008, "Client too slow");
    /// The gateway is shutting down.
    pub(super) const RESTART: Self = Self::ours(1012, "Service restart");
    /// The TCP connection ended without a close frame.
    pub(super) const DROPPED: Self =
        Self { code: 1006, reason: Cow::Borrowed("Connection closed abnormally"), by_us: false };

    /// The client sent a close frame.
    pub(super) fn by_client(frame: Option<CloseFrame>) -> Self {
        match frame {
            Some(frame) => Self {
                code: frame.code.into(),
                reason: frame.reason.as_str().to_owned().into(),
                by_us: false,
            },
            // The reason is AWS's.
            None => Self {
                code: 1005,
                reason: Cow::Borrowed("Client-side close frame status not set"),
                by_us: false,
            },
        }
    }

    /// Reading from the client failed.
    pub(super) fn by_read_error(error: &Error) -> Self {
        match error {
            Error::Capacity(_) => Self::ours(1009, "Message too big"),
            Error::Utf8(_) => Self::ours(1007, "Text is not UTF-8"),
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Self::DROPPED,
            Error::Protocol(_) => Self::ours(1002, "Protocol error"),
            _ => Self::DROPPED,
        }
    }

    /// Returns the close frame to send, if we close the connection.
    pub(super) fn close_frame(&self) -> Option<CloseFrame> {
        self.by_us.then(|| CloseFrame {
            code: CloseCode::from(self.code),
            reason: self.reason.as_ref().into(),
        })
    }
}
