//! The floor: what the same machine and the same processes take at that time for nearly nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::SinkExt;
use tokio_tungstenite::tungstenite::Message;

use super::crowd::Person;
use super::listener::{Stream, connect, next};
use super::numbers::Spread;
use crate::support::{Cloud, client};

#[derive(Debug, Clone, Copy)]
pub struct Floor {
    /// `GET /health`: one function, no database.
    pub health: Spread,
    /// A ping over a socket until its pong: one function, one write, one push.
    pub pong: Spread,
}

/// This often, one after the other.
pub async fn measure(cloud: &Cloud, times: usize) -> Floor {
    probe(cloud, |done| done < times, Duration::ZERO).await
}

/// Until then, twice a second (a socket may say 120 things a minute).
pub async fn until(cloud: Arc<Cloud>, until: Instant) -> Floor {
    probe(&cloud, |_| Instant::now() < until, Duration::from_millis(550)).await
}

async fn probe(cloud: &Cloud, more: impl Fn(usize) -> bool, every: Duration) -> Floor {
    let http = cloud.client();
    let person = Person::new(client(cloud).await, None).await;
    let (mut health, mut pong) = (Vec::new(), Vec::new());
    let mut socket = None;
    while more(health.len()) {
        let before = Instant::now();
        http.get("/health").await.expect(200);
        health.push(before.elapsed());
        // It is killed now and then, as all are.
        if socket.is_none() {
            socket = connect(cloud, &person).await.ok();
        }
        let before = Instant::now();
        let answer = async {
            match &mut socket {
                Some(socket) => ping(socket).await,
                None => false,
            }
        };
        match tokio::time::timeout(Duration::from_secs(10), answer).await {
            Ok(true) => pong.push(before.elapsed()),
            _ => socket = None,
        }
        tokio::time::sleep(every.saturating_sub(before.elapsed())).await;
    }
    Floor { health: Spread::of(health), pong: Spread::of(pong) }
}

/// Whether it was answered.
async fn ping(socket: &mut Stream) -> bool {
    if socket.send(Message::text(r#"{"action":"ping"}"#)).await.is_err() {
        return false;
    }
    while let Some(frame) = next(socket).await {
        if frame["type"] == "pong" {
            return true;
        }
    }
    false
}
