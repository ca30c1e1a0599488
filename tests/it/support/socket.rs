//! A WebSocket client that works as a browser does: it gets a ticket, connects and sends `hello`.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::User;

/// How long a test waits for a frame. Even on a busy machine, none takes this long.
const TIMEOUT: Duration = Duration::from_secs(20);

pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Socket {
    /// Connects with a new ticket.
    pub async fn connect(user: &User) -> Self {
        let ticket = user.api.post("/live/tickets", json!({})).await.expect_status(200);
        Self::open(ticket["url"].as_str().expect("url"), None)
            .await
            .expect("the handshake is accepted")
    }

    /// Connects to this URL, with an `Origin` header if `origin` is given.
    ///
    /// # Errors
    /// When the handshake is rejected or the connection fails.
    pub async fn open(url: &str, origin: Option<&str>) -> Result<Self, Error> {
        let mut request = url.into_client_request().expect("an address");
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().expect("an origin"));
        }
        let (stream, _) = connect_async(request).await?;
        Ok(Self { stream })
    }

    /// Returns the status of a rejected handshake. Panics if the handshake is accepted.
    pub async fn handshake_status(url: &str, origin: Option<&str>) -> u16 {
        match Self::open(url, origin).await {
            Err(Error::Http(response)) => response.status().as_u16(),
            Err(error) => panic!("the handshake failed without a status: {error}"),
            Ok(_) => panic!("the handshake is accepted"),
        }
    }

    /// Connects, sends hello with these feed positions, and returns the socket and the welcome.
    pub async fn connect_and_hello(user: &User, after: Value) -> (Self, Value) {
        let mut socket = Self::connect(user).await;
        socket.send(json!({"action": "hello", "after": after})).await;
        let welcome = socket.next().await;
        assert_eq!(welcome["type"], "welcome", "{welcome:#}");
        (socket, welcome)
    }

    pub async fn send(&mut self, message: Value) {
        self.send_text(&message.to_string()).await;
    }

    pub async fn send_text(&mut self, message: &str) {
        self.stream.send(Message::text(message)).await.expect("the socket takes a message");
    }

    /// Waits until the server closes the socket, and ignores what arrives before.
    pub async fn until_closed(mut self) {
        let close = async { while let Some(Ok(_)) = self.stream.next().await {} };
        tokio::time::timeout(TIMEOUT, close).await.expect("the socket is closed in time");
    }

    /// Asserts that the socket is open, by sending a ping and waiting for the pong.
    pub async fn assert_open(&mut self) {
        self.send(json!({"action": "ping"})).await;
        assert_eq!(self.next().await, json!({"type": "pong"}));
    }

    /// Waits for the next frame and returns it.
    pub async fn next(&mut self) -> Value {
        let frame =
            tokio::time::timeout(TIMEOUT, self.stream.next()).await.expect("a frame in time");
        let frame = frame.expect("the socket is open").expect("a whole frame");
        serde_json::from_str(frame.to_text().expect("text")).expect("JSON")
    }

    /// Waits for the next entry of this type about this order. Skips all other frames.
    pub async fn next_entry(&mut self, kind: &str, order: &str) -> Value {
        loop {
            let frame = self.next().await;
            if frame["type"] == kind && frame["data"]["id"] == order {
                return frame;
            }
        }
    }

    /// Counts frames until none has arrived for two seconds.
    pub async fn frames_until_silent(&mut self) -> usize {
        let mut frames = 0;
        while let Ok(Some(Ok(_))) =
            tokio::time::timeout(Duration::from_secs(2), self.stream.next()).await
        {
            frames += 1;
        }
        frames
    }

    /// Closes the socket, as a browser does when the user leaves the page.
    pub async fn close(mut self) {
        self.stream.close(None).await.expect("the socket closes");
    }
}
