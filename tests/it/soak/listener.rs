//! One socket's client: it stays connected as web/live.js does, and notes every entry.

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
use super::crowd::Person;
use super::numbers::{Numbers, now};
use crate::support::Cloud;

/// Longer than any answer takes: a socket without a welcome by then is given up.
const WELCOME: Duration = Duration::from_secs(30);

pub struct Listener {
    pub person: Arc<Person>,
    /// Cuts its connection, without a word to the server.
    pub cut: Notify,
    places: Mutex<BTreeMap<String, Place>>,
}

/// What it has of one feed.
#[derive(Default)]
pub struct Place {
    /// The feed's last number when it began.
    pub start: u64,
    /// Ids, from the one with the next number on.
    pub entries: Vec<String>,
}

impl Place {
    fn last(&self) -> u64 {
        self.start + self.entries.len() as u64
    }
}

/// Connects now, and again whenever the connection is over.
pub fn start(
    cloud: &Arc<Cloud>,
    person: &Arc<Person>,
    numbers: &Arc<Numbers>,
    opening: &Arc<Semaphore>,
) -> Arc<Listener> {
    let listener =
        Arc::new(Listener { person: person.clone(), cut: Notify::new(), places: Mutex::default() });
    let (it, cloud, numbers, opening) =
        (listener.clone(), cloud.clone(), numbers.clone(), opening.clone());
    tokio::spawn(async move {
        let mut failures = 0;
        loop {
            let turn = opening.acquire().await;
            match connect(&cloud, &it.person).await {
                Ok(socket) => {
                    // The turn ends with the welcome.
                    let welcomed = it.listen(socket, &numbers, turn.ok()).await;
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
    /// Whether there was a welcome before it ended.
    async fn listen(
        &self,
        mut socket: Stream,
        numbers: &Numbers,
        turn: Option<tokio::sync::SemaphorePermit<'_>>,
    ) -> bool {
        let after: BTreeMap<_, _> =
            self.places.lock().unwrap().iter().map(|(feed, p)| (feed.clone(), p.last())).collect();
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
                numbers.wrong(format!("before the welcome comes {frame}"));
            }
        };
        let Ok(Some(welcome)) = tokio::time::timeout(WELCOME, welcome).await else { return false };
        drop(turn);
        let here = now();
        self.welcomed(&welcome, numbers);
        numbers.opened();
        loop {
            tokio::select! {
                frame = next(&mut socket) => match frame {
                    // It can come twice, as any frame can.
                    Some(frame) if frame["type"] == "welcome" => {}
                    Some(frame) => self.take(&frame, here, numbers),
                    None => break,
                },
                () = self.cut.notified() => break,
            }
        }
        numbers.closed();
        true
    }

    fn welcomed(&self, welcome: &Value, numbers: &Numbers) {
        let feeds: BTreeMap<String, u64> =
            serde_json::from_value(welcome["feeds"].clone()).unwrap_or_default();
        let expected: std::collections::BTreeSet<_> = self.person.feeds.iter().collect();
        if welcome["user_id"] != self.person.id.as_str()
            || feeds.keys().collect::<std::collections::BTreeSet<_>>() != expected
        {
            numbers.wrong(format!("{} is welcomed with {welcome}", self.person.id));
        }
        let mut places = self.places.lock().unwrap();
        for (feed, last) in feeds {
            places.entry(feed).or_insert(Place { start: last, entries: Vec::new() });
        }
    }

    fn take(&self, frame: &Value, here: Duration, numbers: &Numbers) {
        let wrong = |what: &str| numbers.wrong(format!("{}: {what}: {frame}", self.person.id));
        let mut places = self.places.lock().unwrap();
        let place = frame["feed"].as_str().and_then(|feed| places.get_mut(feed));
        let (Some(place), Some(seq), Some(id)) =
            (place, frame["seq"].as_u64(), frame["id"].as_str())
        else {
            return wrong("no entry of a feed of theirs");
        };
        if seq <= place.last() {
            // Pushing again after a failure is the server's right; it must be the same entry.
            numbers.doubles.fetch_add(1, Relaxed);
            let before = seq
                .checked_sub(place.start + 1)
                .and_then(|at| place.entries.get(usize::try_from(at).unwrap_or(0)));
            return if before.is_some_and(|before| before != id) {
                wrong("two entries with one number")
            };
        }
        if seq > place.last() + 1 {
            return wrong(&format!("a gap after {}", place.last()));
        }
        place.entries.push(id.to_owned());
        numbers.entries.fetch_add(1, Relaxed);
        let at = frame["at"].as_str().and_then(|at| at.parse::<Timestamp>().ok());
        let Some(at) =
            at.and_then(|at| Duration::try_from(at.duration_since(Timestamp::UNIX_EPOCH)).ok())
        else {
            return wrong("it has no time");
        };
        // What was missed while away was not pushed but replayed.
        if at > here {
            numbers.arrived(now().saturating_sub(at));
        }
    }

    /// Whether it has come to the end of all of its feeds.
    pub fn has(&self, feeds: &Feeds) -> bool {
        let places = self.places.lock().unwrap();
        self.person
            .feeds
            .iter()
            .all(|feed| places.get(feed).is_some_and(|place| place.last() >= feeds.last(feed)))
    }

    /// Its feeds with what it has of them.
    pub fn places(&self) -> BTreeMap<String, Place> {
        std::mem::take(&mut *self.places.lock().unwrap())
    }
}

/// A socket, opened with a fresh ticket.
pub async fn connect(cloud: &Cloud, person: &Person) -> Result<Stream, String> {
    let ticket = person.api().await.post("/live/tickets", json!({})).await;
    if ticket.status == 401 {
        person.renew(cloud).await;
    }
    let url = ticket.body["url"].as_str().ok_or("no ticket")?;
    let connected = tokio_tungstenite::connect_async(url).await;
    connected.map(|(socket, _)| socket).map_err(|error| error.to_string())
}

/// The next frame; none when the socket is over, or API Gateway says in its own words that a
/// function has failed: the hello may have been lost.
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
