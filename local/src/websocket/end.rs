//! How a connection ends.

use std::borrow::Cow;

use tokio_tungstenite::tungstenite::error::{Error, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

/// The end of a connection, as `$disconnect` receives it. The codes are API Gateway's, see
/// "WebSocket API status codes" in
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-overview.html>.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct End {
    /// `disconnectStatusCode`.
    pub(super) code: u16,
    /// `disconnectReason`.
    pub(super) reason: Cow<'static, str>,
    /// Whether the gateway sends the close frame. Otherwise the client has sent one or is gone.
    by_gateway: bool,
}

impl End {
    const fn by_gateway(code: u16, reason: &'static str) -> Self {
        Self { code, reason: Cow::Borrowed(reason), by_gateway: true }
    }

    /// The idle timeout has passed without a message, or the maximum duration is reached. The
    /// reason is AWS's.
    pub(super) const EXPIRED: Self = Self::by_gateway(1001, "Going away");
    /// The client sent a binary frame, which API Gateway doesn't support.
    pub(super) const BINARY: Self = Self::by_gateway(1003, "Binary messages are not supported");
    /// A function deleted the connection with `DELETE @connections`.
    pub(super) const DELETED: Self = Self::by_gateway(1000, "Connection Closed Normally");
    /// The client doesn't read its messages.
    pub(super) const TOO_SLOW: Self = Self::by_gateway(1008, "Client too slow");
    /// The gateway is shutting down.
    pub(super) const RESTART: Self = Self::by_gateway(1012, "Service restart");
    /// The TCP connection ended without a close frame.
    pub(super) const DROPPED: Self = Self {
        code: 1006,
        reason: Cow::Borrowed("Connection closed abnormally"),
        by_gateway: false,
    };

    /// Returns the end for a close frame from the client.
    pub(super) fn by_client(frame: Option<CloseFrame>) -> Self {
        match frame {
            Some(frame) => Self {
                code: frame.code.into(),
                reason: frame.reason.as_str().to_owned().into(),
                by_gateway: false,
            },
            // The reason is AWS's.
            None => Self {
                code: 1005,
                reason: Cow::Borrowed("Client-side close frame status not set"),
                by_gateway: false,
            },
        }
    }

    /// Returns the end for an error while reading from the client.
    pub(super) fn by_read_error(error: &Error) -> Self {
        match error {
            Error::Capacity(_) => Self::by_gateway(1009, "Message too big"),
            Error::Utf8(_) => Self::by_gateway(1007, "Text is not UTF-8"),
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Self::DROPPED,
            Error::Protocol(_) => Self::by_gateway(1002, "Protocol error"),
            _ => Self::DROPPED,
        }
    }

    /// Returns the close frame to send, if the gateway closes the connection.
    pub(super) fn close_frame(&self) -> Option<CloseFrame> {
        self.by_gateway.then(|| CloseFrame {
            code: CloseCode::from(self.code),
            reason: self.reason.as_ref().into(),
        })
    }
}
