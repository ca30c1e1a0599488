//! Counters, latencies and the report.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, SystemTime};

use super::probes::Baseline;

/// Counters that all tasks share.
#[derive(Debug, Default)]
pub struct Counters {
    open: AtomicUsize,
    pub hellos: AtomicUsize,
    pub killed: AtomicUsize,
    pub functions_killed: AtomicUsize,
    pub entries: AtomicUsize,
    pub duplicates: AtomicUsize,
    pub orders: AtomicUsize,
    pub retries: AtomicUsize,
    /// Time from an entry's write to the arrival of its frame, for entries pushed to open sockets.
    arrivals: Mutex<Vec<Duration>>,
    /// Violations of the guarantees.
    wrong: Mutex<BTreeSet<String>>,
}

impl Counters {
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

    pub fn violation(&self, what: String) {
        let mut wrong = self.wrong.lock().unwrap();
        if wrong.len() < 1000 {
            wrong.insert(what);
        }
    }

    pub fn violations(&self) -> Vec<String> {
        self.wrong.lock().unwrap().iter().cloned().collect()
    }

    pub fn line(&self) -> String {
        let n = |counter: &AtomicUsize| counter.load(Relaxed);
        format!(
            "{} sockets open, {} killed, {} function processes killed, {} hellos, \
             {} orders, {} entries, {} duplicates, {} retried requests",
            self.open(),
            n(&self.killed),
            n(&self.functions_killed),
            n(&self.hellos),
            n(&self.orders),
            n(&self.entries),
            n(&self.duplicates),
            n(&self.retries),
        )
    }
}

/// Percentiles of a set of times.
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

/// The result of a run.
#[derive(Debug)]
pub struct Report {
    pub counters: std::sync::Arc<Counters>,
    /// Baseline latencies before the sockets were opened.
    pub idle: Baseline,
    /// Baseline latencies during the run.
    pub busy: Baseline,
    /// Violations of the guarantees. Must be empty.
    pub violations: Vec<String>,
}

impl Report {
    /// Time from the order's write to the arrival of the frame.
    pub fn arrivals(&self) -> Spread {
        Spread::of(self.counters.arrivals.lock().unwrap().clone())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.counters.line())?;
        writeln!(f, "write to frame              {}", self.arrivals())?;
        writeln!(f, "GET /health, busy           {}", self.busy.health)?;
        writeln!(f, "ping to pong, busy          {}", self.busy.pong)?;
        writeln!(f, "GET /health, idle           {}", self.idle.health)?;
        writeln!(f, "ping to pong, idle          {}", self.idle.pong)?;
        match self.violations.as_slice() {
            [] => write!(
                f,
                "every socket has exactly its feeds: no gaps, duplicates or foreign entries"
            ),
            wrong => {
                writeln!(f, "{} VIOLATIONS:", wrong.len())?;
                wrong.iter().take(20).try_for_each(|what| writeln!(f, "  {what}"))
            }
        }
    }
}

/// The time since 1970, by the clock that the functions also use.
pub fn now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a time")
}
