//! The client of one socket. It reconnects as web/live.js does, and records every entry.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::{Notify, Semaphore};
use tokio_tungstenite::tungstenite::Message;

use super::check::Feeds;
use super::counters::{Counters, now};
use super::crowd::Person;
use crate::support::Cloud;

/// How long to wait for the welcome before the socket is closed. No response takes this long.
const WELCOME_TIMEOUT: Duration = Duration::from_secs(30);

pub struct Listener {
    pub person: Arc<Person>,
    /// Drops the connection without closing it.
    pub cut: Notify,
    progress_by_feed: Mutex<BTreeMap<String, Progress>>,
}

/// What the listener has received of one feed.
#[derive(Default)]
pub struct Progress {
    /// The feed's last number at the first welcome.
    pub start: u64,
    /// The ids of the entries after that.
    pub entries: Vec<String>,
}

impl Progress {
    fn last(&self) -> u64 {
        self.start + self.entries.len() as u64
    }
}

/// Connects, and reconnects whenever the connection ends.
pub fn start(
    cloud: &Arc<Cloud>,
    person: &Arc<Person>,
    counters: &Arc<Counters>,
    opening: &Arc<Semaphore>,
) -> Arc<Listener> {
    let listener = Arc::new(Listener {
        person: person.clone(),
        cut: Notify::new(),
        progress_by_feed: Mutex::default(),
    });
    let (this, cloud, counters, opening) =
        (listener.clone(), cloud.clone(), counters.clone(), opening.clone());
    tokio::spawn(async move {
        let mut failures = 0;
        loop {
            let permit = opening.acquire().await;
            match connect(&cloud, &this.person).await {
                Ok(socket) => {
                    // The permit is held until the welcome.
                    let welcomed = this.listen(socket, &counters, permit.ok()).await;
                    failures = if welcomed { 0 } else { failures + 1 };
                }
                Err(_) => failures += 1,
            }
            let most = 500 * 2_u64.pow(failures.min(6));
            tokio::time::sleep(Duration::from_millis(u64::from(now().subsec_nanos()) % most)).await;
        }
    });
    listener
}

pub type Stream =
    tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

impl Listener {
    /// Receives entries until the connection ends. Returns whether there was a welcome.
    async fn listen(
        &self,
        mut socket: Stream,
        counters: &Counters,
        permit: Option<tokio::sync::SemaphorePermit<'_>>,
    ) -> bool {
        let after: BTreeMap<_, _> = self
            .progress_by_feed
            .lock()
            .unwrap()
            .iter()
            .map(|(feed, p)| (feed.clone(), p.last()))
            .collect();
        let hello = Message::text(json!({"action": "hello", "after": after}).to_string());
        if socket.send(hello).await.is_err() {
            return false;
        }
        let welcome = async {
            loop {
                let frame = next(&mut socket).await?;
                if frame["type"] == "welcome" {
                    return Some(frame);
                }
                counters.violation(format!("before the welcome came {frame}"));
            }
        };
        let Ok(Some(welcome)) = tokio::time::timeout(WELCOME_TIMEOUT, welcome).await else {
            return false;
        };
        drop(permit);
        let welcomed_at = now();
        self.welcomed(&welcome, counters);
        counters.opened();
        loop {
            tokio::select! {
                frame = next(&mut socket) => match frame {
                    // A welcome can be pushed twice, like any frame.
                    Some(frame) if frame["type"] == "welcome" => {}
                    Some(frame) => self.record(&frame, welcomed_at, counters),
                    None => break,
                },
                () = self.cut.notified() => break,
            }
        }
        counters.closed();
        true
    }

    fn welcomed(&self, welcome: &Value, counters: &Counters) {
        let feeds: BTreeMap<String, u64> =
            serde_json::from_value(welcome["feeds"].clone()).unwrap_or_default();
        let expected: std::collections::BTreeSet<_> = self.person.feeds.iter().collect();
        if welcome["user_id"] != self.person.id.as_str()
            || feeds.keys().collect::<std::collections::BTreeSet<_>>() != expected
        {
            counters.violation(format!("{} is welcomed with {welcome}", self.person.id));
        }
        let mut progress_by_feed = self.progress_by_feed.lock().unwrap();
        for (feed, last) in feeds {
            progress_by_feed.entry(feed).or_insert(Progress { start: last, entries: Vec::new() });
        }
    }

    fn record(&self, frame: &Value, welcomed_at: Duration, counters: &Counters) {
        let wrong = |what: &str| counters.violation(format!("{}: {what}: {frame}", self.person.id));
        let mut progress_by_feed = self.progress_by_feed.lock().unwrap();
        let progress = frame["feed"].as_str().and_then(|feed| progress_by_feed.get_mut(feed));
        let (Some(progress), Some(seq), Some(id)) =
            (progress, frame["seq"].as_u64(), frame["id"].as_str())
        else {
            return wrong("not an entry of the user's feeds");
        };
        if seq <= progress.last() {
            // The server may repeat a push after a failure, but only with the same entry.
            counters.duplicates.fetch_add(1, Relaxed);
            let before = seq
                .checked_sub(progress.start + 1)
                .and_then(|at| progress.entries.get(usize::try_from(at).unwrap_or(0)));
            return if before.is_some_and(|before| before != id) {
                wrong("two entries with one number")
            };
        }
        if seq > progress.last() + 1 {
            return wrong(&format!("a gap after {}", progress.last()));
        }
        progress.entries.push(id.to_owned());
        counters.entries.fetch_add(1, Relaxed);
        let at = frame["at"].as_str().and_then(|at| at.parse::<Timestamp>().ok());
        let Some(at) =
            at.and_then(|at| Duration::try_from(at.duration_since(Timestamp::UNIX_EPOCH)).ok())
        else {
            return wrong("an entry without a time");
        };
        // Entries from before the welcome were replayed, not pushed.
        if at > welcomed_at {
            counters.arrived(now().saturating_sub(at));
        }
    }

    /// Returns whether it has received all of its feeds.
    pub fn has(&self, feeds: &Feeds) -> bool {
        let progress_by_feed = self.progress_by_feed.lock().unwrap();
        self.person.feeds.iter().all(|feed| {
            progress_by_feed.get(feed).is_some_and(|progress| progress.last() >= feeds.last(feed))
        })
    }

    /// Removes and returns what it has received, by feed.
    pub fn progress_by_feed(&self) -> BTreeMap<String, Progress> {
        std::mem::take(&mut *self.progress_by_feed.lock().unwrap())
    }
}

/// Opens a socket with a new ticket.
///
/// # Errors
/// When no ticket is issued or the handshake fails.
pub async fn connect(cloud: &Cloud, person: &Person) -> Result<Stream, String> {
    let ticket = person.api().await.post("/live/tickets", json!({})).await;
    if ticket.status == 401 {
        person.renew(cloud).await;
    }
    let url = ticket.body["url"].as_str().ok_or("no ticket")?;
    let connected = tokio_tungstenite::connect_async(url).await;
    connected.map(|(socket, _)| socket).map_err(|error| error.to_string())
}

/// Waits for the next frame. Returns `None` if the socket has ended, or if API Gateway reports that
/// a function has failed, because the hello may then have been lost.
pub async fn next(socket: &mut Stream) -> Option<Value> {
    loop {
        match socket.next().await? {
            Ok(Message::Text(text)) => {
                let frame: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
                return Some(frame).filter(|frame| frame["requestId"].is_null());
            }
            Ok(Message::Close(_)) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}
