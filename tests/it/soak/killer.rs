//! Causes faults: clients drop sockets, the server closes sockets, function processes are killed,
//! and pushes hang or are throttled.

use std::collections::BTreeSet;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use serde_json::json;

use super::Plan;
use super::counters::{Counters, now};
use super::listener::Listener;
use crate::support::{Client, Cloud};

/// The functions behind the live feeds, whose processes are killed.
const FUNCTIONS: &[&str] = &[
    "live-notify",
    "live-default",
    "live-connect",
    "live-disconnect",
    "live-ticket",
    "payments-apply",
];

/// Causes faults at the rates of the plan.
pub async fn run(
    cloud: Arc<Cloud>,
    listeners: Vec<Arc<Listener>>,
    plan: Plan,
    counters: Arc<Counters>,
    until: Instant,
) {
    let mut sockets = OpenSockets { log: cloud.log.clone(), bytes_read: 0, open: BTreeSet::new() };
    let management = Client::new(&cloud.ready.invoke);
    let began = Instant::now();
    let (mut sockets_killed, mut kill_attempts, mut faults_injected) = (0, 0, 0);
    while Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(100)).await;
        while sockets_killed < due(began, plan.kills) {
            sockets_killed += 1;
            counters.killed.fetch_add(1, Relaxed);
            if sockets_killed % 2 == 0 {
                listeners[random(listeners.len())].cut.notify_one();
            } else if let Some(id) = sockets.take_random() {
                cloud.close_socket(&id).await;
            }
        }
        while faults_injected < due(began, plan.faults) {
            // The retries of a push can't overcome eight faults. The push gives up, and
            // `live-catch-up` has to take care of the socket.
            let (fault, times) =
                [("error_429", 2), ("timeout", 1), ("error_429", 8), ("timeout_after_acting", 1)]
                    [faults_injected % 4];
            faults_injected += 1;
            management
                .post("/_local/faults", json!({"fault": fault, "method": "POST", "times": times}))
                .await
                .expect_status(201);
        }
        while plan.kill_functions && kill_attempts < due(began, 0.2) {
            let name = FUNCTIONS[kill_attempts % FUNCTIONS.len()];
            kill_attempts += 1;
            counters.functions_killed.fetch_add(cloud.kill_function(name, 1), Relaxed);
        }
    }
}

/// Returns how many times something with this rate should have happened since `began`.
pub fn due(began: Instant, per_second: f64) -> usize {
    (began.elapsed().as_secs_f64() * per_second) as usize
}

/// Returns a pseudo-random number below this one.
pub fn random(below: usize) -> usize {
    (now().as_micros() as usize).wrapping_mul(2_654_435_761) % below.max(1)
}

/// The open sockets, according to the log of the local cloud.
struct OpenSockets {
    log: PathBuf,
    /// How many bytes of the log have been read.
    bytes_read: u64,
    open: BTreeSet<String>,
}

impl OpenSockets {
    /// Picks an open socket at random, stops listing it as open, and returns its id.
    fn take_random(&mut self) -> Option<String> {
        let mut new = String::new();
        let mut file = std::fs::File::open(&self.log).ok()?;
        file.seek(SeekFrom::Start(self.bytes_read)).ok()?;
        file.read_to_string(&mut new).ok()?;
        // The last line may be incomplete.
        let complete = new.rfind('\n').map_or(0, |at| at + 1);
        self.bytes_read += complete as u64;
        for line in new[..complete].lines() {
            let Some((_, rest)) = line.split_once(" socket ") else { continue };
            match rest.split(' ').collect::<Vec<_>>().as_slice() {
                [id, "opened", ..] => drop(self.open.insert((*id).to_owned())),
                [id, "closed", ..] => drop(self.open.remove(*id)),
                _ => {}
            }
        }
        let id = self.open.iter().nth(random(self.open.len()))?.clone();
        self.open.remove(&id);
        Some(id)
    }
}
