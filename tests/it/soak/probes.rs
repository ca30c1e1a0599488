//! Measures the baseline: how long trivial requests take on the same machine at the same time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::SinkExt;
use tokio_tungstenite::tungstenite::Message;

use super::counters::Spread;
use super::crowd::Person;
use super::listener::{Stream, connect, next};
use crate::support::{Cloud, new_client};

#[derive(Debug, Clone, Copy)]
pub struct Baseline {
    /// `GET /health`: one function, no database.
    pub health: Spread,
    /// From a ping over a socket to its pong: one function, one write, one push.
    pub pong: Spread,
}

/// Probes this many times in sequence.
pub async fn measure(cloud: &Cloud, times: usize) -> Baseline {
    probe(cloud, |done| done < times, Duration::ZERO).await
}

/// Probes about twice a second until this time. A socket may send 120 messages a minute.
pub async fn until(cloud: Arc<Cloud>, until: Instant) -> Baseline {
    probe(&cloud, |_| Instant::now() < until, Duration::from_millis(550)).await
}

async fn probe(cloud: &Cloud, more: impl Fn(usize) -> bool, every: Duration) -> Baseline {
    let http = cloud.client();
    let person = Person::new(new_client(cloud).await, None).await;
    let (mut health, mut pong) = (Vec::new(), Vec::new());
    let mut socket = None;
    while more(health.len()) {
        let before = Instant::now();
        http.get("/health").await.expect_status(200);
        health.push(before.elapsed());
        // Probe sockets are killed at random, too.
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
    Baseline { health: Spread::of(health), pong: Spread::of(pong) }
}

/// Sends a ping. Returns whether its pong arrived.
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
