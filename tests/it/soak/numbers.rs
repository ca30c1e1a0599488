//! What was counted and measured.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, SystemTime};

use super::probes::Floor;

/// Counted by all tasks.
#[derive(Debug, Default)]
pub struct Numbers {
    open: AtomicUsize,
    pub hellos: AtomicUsize,
    pub killed: AtomicUsize,
    pub functions_killed: AtomicUsize,
    pub entries: AtomicUsize,
    pub doubles: AtomicUsize,
    pub orders: AtomicUsize,
    pub retries: AtomicUsize,
    /// From what an entry tells of to its frame's arrival, of those that were pushed to a socket
    /// that was there.
    arrivals: Mutex<Vec<Duration>>,
    /// What must not happen, as it was seen.
    wrong: Mutex<BTreeSet<String>>,
}

impl Numbers {
    pub fn open(&self) -> usize {
        self.open.load(Relaxed)
    }

    pub fn opened(&self) {
        self.hellos.fetch_add(1, Relaxed);
        self.open.fetch_add(1, Relaxed);
    }

    pub fn closed(&self) {
        self.open.fetch_sub(1, Relaxed);
    }

    pub fn arrived(&self, after: Duration) {
        self.arrivals.lock().unwrap().push(after);
    }

    pub fn wrong(&self, what: String) {
        let mut wrong = self.wrong.lock().unwrap();
        if wrong.len() < 1000 {
            wrong.insert(what);
        }
    }

    pub fn all_wrong(&self) -> Vec<String> {
        self.wrong.lock().unwrap().iter().cloned().collect()
    }

    pub fn line(&self) -> String {
        let n = |counter: &AtomicUsize| counter.load(Relaxed);
        format!(
            "{} sockets open, {} killed, {} function processes killed, {} hellos, {} orders, {} entries, {} twice, {} requests again",
            self.open(),
            n(&self.killed),
            n(&self.functions_killed),
            n(&self.hellos),
            n(&self.orders),
            n(&self.entries),
            n(&self.doubles),
            n(&self.retries),
        )
    }
}

/// Milliseconds below which so many hundredths of these are.
#[derive(Debug, Clone, Copy)]
pub struct Spread {
    pub count: usize,
    pub p50: Duration,
    pub p99: Duration,
    pub max: Duration,
}

impl Spread {
    pub fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |share: usize| {
            times.get((times.len() * share / 100).min(times.len().saturating_sub(1)))
        };
        let at = |share| at(share).copied().unwrap_or_default();
        Self { count: times.len(), p50: at(50), p99: at(99), max: at(100) }
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |time: Duration| time.as_secs_f64() * 1000.0;
        write!(
            f,
            "p50 {:7.1} ms, p99 {:7.1} ms, max {:7.1} ms",
            ms(self.p50),
            ms(self.p99),
            ms(self.max)
        )?;
        write!(f, "  ({} times)", self.count)
    }
}

/// How it went.
#[derive(Debug)]
pub struct Report {
    pub numbers: std::sync::Arc<Numbers>,
    /// With nothing else going on, before the sockets were opened.
    pub idle: Floor,
    /// While everything went on.
    pub busy: Floor,
    /// What was wrong. It must be empty.
    pub violations: Vec<String>,
}

impl Report {
    /// From the order's write to the frame's arrival.
    pub fn arrivals(&self) -> Spread {
        Spread::of(self.numbers.arrivals.lock().unwrap().clone())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.numbers.line())?;
        writeln!(f, "write to frame              {}", self.arrivals())?;
        writeln!(f, "GET /health, busy           {}", self.busy.health)?;
        writeln!(f, "ping to pong, busy          {}", self.busy.pong)?;
        writeln!(f, "GET /health, idle           {}", self.idle.health)?;
        writeln!(f, "ping to pong, idle          {}", self.idle.pong)?;
        match self.violations.as_slice() {
            [] => write!(
                f,
                "every socket has exactly its feeds: no gap, no double, nothing of another's"
            ),
            wrong => {
                writeln!(f, "{} VIOLATIONS:", wrong.len())?;
                wrong.iter().take(20).try_for_each(|what| writeln!(f, "  {what}"))
            }
        }
    }
}

/// Since 1970, by the clock that the functions have, too.
pub fn now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a time")
}
