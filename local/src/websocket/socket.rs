//! An established socket: reading and writing messages, and closing.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::{Sink, SinkExt, Stream, StreamExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::{Message, Role, WebSocketConfig};

use super::connection::{Connection, Outgoing};
use super::end::End;
use super::event::Event;
use super::gateway::Gateway;
use super::quotas::Quotas;

/// A socket after its handshake.
pub(super) type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// The size of each socket's buffers. It is small because thousands of sockets can be open at once.
const BUFFER_BYTES: usize = 4 * 1024;

/// Serves one socket until its connection ends. Returns how it ended, and the socket to close.
pub(super) async fn serve(
    gateway: &Arc<Gateway>,
    connection: &Arc<Connection>,
    upgraded: Upgraded,
    outgoing: &mut mpsc::Receiver<Outgoing>,
) -> (End, Option<Socket>) {
    let quotas = &gateway.quotas;
    let config = WebSocketConfig::default()
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(BUFFER_BYTES)
        .max_message_size(Some(quotas.message_bytes))
        .max_frame_size(Some(quotas.frame_bytes));
    let mut socket =
        WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await;
    let (sink, stream) = (&mut socket).split();
    // Reading doesn't wait for writing, so that the messages and timeouts of a client are handled
    // even if it doesn't read.
    let end = tokio::select! {
        end = read(gateway, connection, stream) => end,
        end = write(quotas, connection, sink, outgoing) => end,
        () = until_idle(connection, quotas.idle_timeout) => End::EXPIRED,
        () = sleep(quotas.max_duration) => End::EXPIRED,
        () = gateway.shutdown.cancelled() => End::RESTART,
    };
    (end, Some(socket))
}

async fn read(
    gateway: &Arc<Gateway>,
    connection: &Arc<Connection>,
    mut stream: impl Stream<Item = Result<Message, Error>> + Unpin,
) -> End {
    while let Some(message) = stream.next().await {
        match message {
            Ok(Message::Text(text)) => {
                connection.touch();
                let (gateway, connection) = (Arc::clone(gateway), Arc::clone(connection));
                let tasks = gateway.tasks.clone();
                tasks.spawn(async move { deliver(&gateway, &connection, text.as_str()).await });
            }
            Ok(Message::Binary(_)) => return End::BINARY,
            Ok(Message::Close(frame)) => return End::by_client(frame),
            // The stream answers pings itself.
            Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => {}
            Err(error) => return End::by_read_error(&error),
        }
    }
    End::DROPPED
}

/// Invokes the function of the route that `message` takes. The client receives a frame only if that
/// fails.
async fn deliver(gateway: &Arc<Gateway>, connection: &Connection, message: &str) {
    let route = gateway.selection.route(&gateway.api.routes, message);
    let event = Event::message(
        &gateway.api,
        connection,
        route.map_or("$default", |(key, _)| key),
        message.to_owned(),
    );
    let request_id = event.request_context.request_id.clone();
    let problem = match route {
        None => "Forbidden",
        Some((_, function)) => match gateway.integrate(function, event).await {
            Ok(_) => return,
            Err(_) => "Internal server error",
        },
    };
    let frame = format!(
        r#"{{"message": "{problem}", "connectionId":"{}", "requestId":"{request_id}"}}"#,
        connection.id
    );
    // If the client has gone or doesn't read, the frame is dropped.
    drop(connection.send(Outgoing::Message(frame.into()), gateway.quotas.buffer_wait).await);
}

async fn write(
    quotas: &Quotas,
    connection: &Connection,
    mut sink: impl Sink<Message, Error = Error> + Unpin,
    outgoing: &mut mpsc::Receiver<Outgoing>,
) -> End {
    while let Some(next) = outgoing.recv().await {
        let message = match next {
            Outgoing::Message(message) => message,
            Outgoing::Close(end) => return end,
        };
        for frame in frames(&message, quotas.frame_bytes) {
            match timeout(quotas.slow_client, sink.send(Message::Frame(frame))).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return End::DROPPED,
                Err(_) => return End::TOO_SLOW,
            }
        }
        connection.touch();
    }
    End::DROPPED
}

/// Splits `message` into frames of at most `max` bytes: a first one and, if needed, continuations.
fn frames(message: &Bytes, max: usize) -> impl Iterator<Item = Frame> {
    let data = if std::str::from_utf8(message).is_ok() { Data::Text } else { Data::Binary };
    let starts = (0..message.len().max(1)).step_by(max);
    starts.map(move |start| {
        let end = message.len().min(start + max);
        let data = if start == 0 { data } else { Data::Continue };
        Frame::message(message.slice(start..end), OpCode::Data(data), end == message.len())
    })
}

/// Returns once the connection has been idle for `limit`.
async fn until_idle(connection: &Connection, limit: Duration) {
    while let Some(left) = limit.checked_sub(connection.idle_for()).filter(|left| !left.is_zero()) {
        sleep(left).await;
    }
}

/// Closes a socket. Sends the gateway's close frame or answers the client's, then waits for the
/// client to hang up.
pub(super) async fn close(socket: Option<Socket>, end: &End, limit: Duration) {
    let Some(mut socket) = socket else { return };
    let close_handshake = async {
        let Some(frame) = end.close_frame() else {
            // Flushes the answer to the client's close frame. Then the server hangs up (RFC 6455,
            // 7.1.1).
            return socket.flush().await;
        };
        socket.send(Message::Close(Some(frame))).await?;
        let stream = socket.get_mut();
        stream.shutdown().await?;
        // Reads and discards whatever the client is still sending, such as the rest of a frame that
        // was too big. TCP resets a connection that is closed with unread data, and the client
        // would never see the close frame.
        tokio::io::copy(stream, &mut tokio::io::sink()).await?;
        Ok(())
    };
    // Errors and timeouts are ignored, because the connection is dropped in any case.
    drop(timeout(limit, close_handshake).await);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shapes(message: &'static [u8], max: usize) -> Vec<(usize, OpCode, bool)> {
        let shape =
            |frame: Frame| (frame.payload().len(), frame.header().opcode, frame.header().is_final);
        frames(&Bytes::from_static(message), max).map(shape).collect()
    }

    #[test]
    fn a_message_is_split_into_frames_of_the_largest_size() {
        let (text, continuation) = (OpCode::Data(Data::Text), OpCode::Data(Data::Continue));
        assert_eq!(shapes(b"", 4), [(0, text, true)]);
        assert_eq!(shapes(b"1234", 4), [(4, text, true)]);
        assert_eq!(
            shapes(b"123456789", 4),
            [(4, text, false), (4, continuation, false), (1, continuation, true)]
        );
    }

    #[test]
    fn a_message_that_is_not_utf8_is_binary() {
        assert_eq!(shapes(&[0xff, 0xfe], 4), [(2, OpCode::Data(Data::Binary), true)]);
    }
}
