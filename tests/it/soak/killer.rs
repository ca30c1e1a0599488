//! Sockets are cut by their clients without a word, or closed by the server; function processes are
//! killed; pushes hang or are throttled.

use std::collections::BTreeSet;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use serde_json::json;

use super::Plan;
use super::listener::Listener;
use super::numbers::{Numbers, now};
use crate::support::{Client, Cloud};

/// The functions that live stands on, whose processes are killed in the midst of their work.
const FUNCTIONS: &[&str] = &[
    "live-notify",
    "live-default",
    "live-connect",
    "live-disconnect",
    "live-ticket",
    "payments-apply",
];

pub async fn run(
    cloud: Arc<Cloud>,
    listeners: Vec<Arc<Listener>>,
    plan: Plan,
    numbers: Arc<Numbers>,
    until: Instant,
) {
    let mut sockets = Sockets { log: cloud.log.clone(), read: 0, open: BTreeSet::new() };
    let management = Client::new(&cloud.ready.invoke);
    let began = Instant::now();
    let (mut killed, mut processes, mut faults) = (0, 0, 0);
    while Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(100)).await;
        while killed < due(began, plan.kills) {
            killed += 1;
            numbers.killed.fetch_add(1, Relaxed);
            if killed % 2 == 0 {
                listeners[random(listeners.len())].cut.notify_one();
            } else if let Some(id) = sockets.any() {
                // 410 when it has gone by itself meanwhile.
                management
                    .send(
                        http::Method::DELETE,
                        &format!("/@connections/{}", id.replace('=', "%3D")),
                        "",
                        Default::default(),
                    )
                    .await;
            }
        }
        while faults < due(began, plan.faults) {
            // Now and then more often than whoever pushes to others tries: the socket is left
            // behind.
            let (fault, times) =
                [("error_429", 2), ("timeout", 1), ("error_429", 8), ("timeout_after_acting", 1)]
                    [faults % 4];
            faults += 1;
            management
                .post("/_local/faults", json!({"fault": fault, "method": "POST", "times": times}))
                .await
                .expect(201);
        }
        while plan.kill_functions && processes < due(began, 0.2) {
            let name = FUNCTIONS[processes % FUNCTIONS.len()];
            processes += 1;
            numbers.functions_killed.fetch_add(cloud.kill_function(name, 1), Relaxed);
        }
    }
}

/// How often something should have happened since then, that happens so often in a second.
pub fn due(began: Instant, a_second: f64) -> usize {
    (began.elapsed().as_secs_f64() * a_second) as usize
}

/// A number below this; not a good one.
pub fn random(below: usize) -> usize {
    (now().as_micros() as usize).wrapping_mul(2_654_435_761) % below.max(1)
}

/// The open sockets, as the log of the local cloud tells.
struct Sockets {
    log: PathBuf,
    read: u64,
    open: BTreeSet<String>,
}

impl Sockets {
    fn any(&mut self) -> Option<String> {
        let mut new = String::new();
        let mut file = std::fs::File::open(&self.log).ok()?;
        file.seek(SeekFrom::Start(self.read)).ok()?;
        file.read_to_string(&mut new).ok()?;
        // The last line may not be whole yet.
        let whole = new.rfind('\n').map_or(0, |at| at + 1);
        self.read += whole as u64;
        for line in new[..whole].lines() {
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
