//! Many sockets at once, under a stream of orders, while sockets are killed at random: everybody
//! ends with exactly their feed.
//!
//! The same program twice: small as a test of every run, and in any size as `cargo run -p tests
//! --example soak -- --help`.

mod check;
mod crowd;
mod killer;
mod listener;
mod numbers;
mod probes;
#[cfg(test)]
mod tests;
mod traffic;

use std::sync::Arc;
use std::time::{Duration, Instant};

use self::numbers::Numbers;
pub use self::numbers::Report;
use crate::support::Cloud;

/// How much of it.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Sockets open at once; ten to a user, half of the users clients and half workers.
    pub sockets: usize,
    /// How long orders are placed and sockets killed.
    pub seconds: u64,
    /// Orders that begin in a second; each is paid for, accepted, talked about, delivered and
    /// completed.
    pub orders: f64,
    /// Sockets that are killed in a second.
    pub kills: f64,
    /// Pushes that hang or are throttled, in a second.
    pub faults: f64,
    /// Whether function processes are killed, too: one in five seconds.
    pub kill_functions: bool,
}

/// Runs it.
///
/// # Errors
/// When it could not be run to its end. What was wrong with what was seen is in the report.
pub async fn run(cloud: &Arc<Cloud>, plan: &Plan) -> Result<Report, String> {
    let numbers = Arc::new(Numbers::default());
    let began = Instant::now();
    let crowd = Arc::new(crowd::register(cloud, plan.sockets).await);
    eprintln!("{} users are registered after {:.0?}", crowd.users.len(), began.elapsed());

    let idle = probes::measure(cloud, 40).await;
    let mut listeners = Vec::new();
    let opening = Arc::new(tokio::sync::Semaphore::new(24));
    for user in &crowd.users {
        for _ in 0..crowd.each {
            listeners.push(listener::start(cloud, user, &numbers, &opening));
        }
    }
    progress(&numbers, "open", || numbers.open() >= listeners.len()).await?;
    eprintln!("{} sockets are open after {:.0?}", numbers.open(), began.elapsed());

    let until = Instant::now() + Duration::from_secs(plan.seconds);
    let killer = tokio::spawn(killer::run(
        cloud.clone(),
        listeners.clone(),
        plan.clone(),
        numbers.clone(),
        until,
    ));
    let traffic = tokio::spawn(traffic::run(
        cloud.clone(),
        crowd.clone(),
        plan.clone(),
        numbers.clone(),
        until,
    ));
    let probes = tokio::spawn(probes::until(cloud.clone(), until));
    let watch = async {
        while Instant::now() < until {
            tokio::time::sleep(Duration::from_secs(5).min(until - Instant::now())).await;
            eprintln!("{}", numbers.line());
        }
    };
    watch.await;
    let failed = |error: tokio::task::JoinError| error.to_string();
    killer.await.map_err(failed)?;
    let told = traffic.await.map_err(failed)?;
    let busy = probes.await.map_err(failed)?;

    eprintln!("it is over; waiting for the last entries");
    let feeds = check::feeds(cloud, &crowd, &told, &numbers).await?;
    let complete =
        progress(&numbers, "complete", || listeners.iter().all(|listener| listener.has(&feeds)))
            .await;
    complete.unwrap_or_else(|error| numbers.wrong(error));
    let violations = check::violations(&feeds, &listeners, &numbers);
    Ok(Report { numbers, idle, busy, violations })
}

/// Waits for something, as long as there is progress.
async fn progress(numbers: &Numbers, what: &str, done: impl Fn() -> bool) -> Result<(), String> {
    const PATIENCE: Duration = Duration::from_secs(60);
    let (mut before, mut since, mut said) = (numbers.line(), Instant::now(), Instant::now());
    while !done() {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let line = numbers.line();
        if said.elapsed() > Duration::from_secs(5) {
            eprintln!("{line}");
            said = Instant::now();
        }
        if line != before {
            (before, since) = (line, Instant::now());
        } else if since.elapsed() > PATIENCE {
            return Err(format!("not {what}, and nothing happens any more: {line}"));
        }
    }
    Ok(())
}
