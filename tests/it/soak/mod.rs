//! A soak test: many sockets receive entries while orders are placed, and sockets are killed at
//! random. In the end, every socket must have exactly the entries of its feeds.
//!
//! A small run is part of the tests. `cargo run -p tests --example soak -- --help` runs any size.

mod check;
mod counters;
mod crowd;
mod killer;
mod listener;
mod probes;
#[cfg(test)]
mod tests;
mod traffic;

use std::sync::Arc;
use std::time::{Duration, Instant};

use self::counters::Counters;
pub use self::counters::Report;
use crate::support::Cloud;

/// The size of a run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Sockets open at once: ten for each user. Half of the users are clients and half are workers.
    pub sockets: usize,
    /// How long orders are placed and sockets killed.
    pub seconds: u64,
    /// Orders placed per second. Each is paid, accepted, discussed, delivered and completed.
    pub orders: f64,
    /// Sockets killed per second.
    pub kills: f64,
    /// Pushes that hang or are throttled, per second.
    pub faults: f64,
    /// Whether function processes are killed too, one every five seconds.
    pub kill_functions: bool,
}

/// Runs the plan, and returns what was measured and every violation.
///
/// # Errors
/// When the run makes no more progress.
pub async fn run(cloud: &Arc<Cloud>, plan: &Plan) -> Result<Report, String> {
    let counters = Arc::new(Counters::default());
    let began = Instant::now();
    let crowd = Arc::new(crowd::register(cloud, plan.sockets).await);
    eprintln!("{} users are registered after {:.0?}", crowd.users.len(), began.elapsed());

    let idle = probes::measure(cloud, 40).await;
    let mut listeners = Vec::new();
    let opening = Arc::new(tokio::sync::Semaphore::new(24));
    for user in &crowd.users {
        for _ in 0..crowd.sockets_per_user {
            listeners.push(listener::start(cloud, user, &counters, &opening));
        }
    }
    until_done(&counters, "open", || counters.open() >= listeners.len()).await?;
    eprintln!("{} sockets are open after {:.0?}", counters.open(), began.elapsed());

    let until = Instant::now() + Duration::from_secs(plan.seconds);
    let killer = tokio::spawn(killer::run(
        cloud.clone(),
        listeners.clone(),
        plan.clone(),
        counters.clone(),
        until,
    ));
    let traffic = tokio::spawn(traffic::run(
        cloud.clone(),
        crowd.clone(),
        plan.clone(),
        counters.clone(),
        until,
    ));
    let probes = tokio::spawn(probes::until(cloud.clone(), until));
    let watch = async {
        while Instant::now() < until {
            tokio::time::sleep(Duration::from_secs(5).min(until - Instant::now())).await;
            eprintln!("{}", counters.line());
        }
    };
    watch.await;
    let failed = |error: tokio::task::JoinError| error.to_string();
    killer.await.map_err(failed)?;
    let caused = traffic.await.map_err(failed)?;
    let busy = probes.await.map_err(failed)?;

    eprintln!("traffic has ended; waiting for the last entries");
    let feeds = check::feeds(cloud, &crowd, &caused, &counters).await?;
    let complete =
        until_done(&counters, "complete", || listeners.iter().all(|listener| listener.has(&feeds)))
            .await;
    complete.unwrap_or_else(|error| counters.violation(error));
    let violations = check::violations(&feeds, &listeners, &counters);
    Ok(Report { counters, idle, busy, violations })
}

/// Waits until `done` returns true, as long as the counters keep changing.
///
/// # Errors
/// When nothing has changed for a minute.
async fn until_done(
    counters: &Counters,
    what: &str,
    done: impl Fn() -> bool,
) -> Result<(), String> {
    const STANDSTILL: Duration = Duration::from_secs(60);
    let (mut before, mut since, mut printed) = (counters.line(), Instant::now(), Instant::now());
    while !done() {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let line = counters.line();
        if printed.elapsed() > Duration::from_secs(5) {
            eprintln!("{line}");
            printed = Instant::now();
        }
        if line != before {
            (before, since) = (line, Instant::now());
        } else if since.elapsed() > STANDSTILL {
            return Err(format!("not {what} after a minute without progress: {line}"));
        }
    }
    Ok(())
}
