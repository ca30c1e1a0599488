//! An adaptive time-out for posts to a socket while other sockets are waiting.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// Limits how long a post may take, based on recent posts, so that one slow socket does not hold up
/// the others. Like TCP's retransmission time-out (RFC 6298), it follows the measured latencies and
/// doubles when there is no response.
#[derive(Debug)]
pub(super) struct AdaptiveTimeout {
    /// A decaying maximum of recent latencies, in microseconds.
    slowest: AtomicU64,
    max: Duration,
}

impl AdaptiveTimeout {
    /// The shortest time-out.
    const MIN: Duration = Duration::from_millis(100);
    /// How many times longer than the slowest recent post a post may take.
    const FACTOR: u32 = 4;

    /// Creates a time-out that is `max` at first and never longer.
    pub(super) fn new(max: Duration) -> Self {
        Self { slowest: AtomicU64::new(micros(max / Self::FACTOR)), max }
    }

    /// The current time-out.
    pub(super) fn current(&self) -> Duration {
        (Duration::from_micros(self.slowest.load(Relaxed)) * Self::FACTOR)
            .clamp(Self::MIN, self.max)
    }

    /// Records the latency of a post. The weight of slower posts before it decays.
    pub(super) fn record(&self, latency: Duration) {
        let before = self.slowest.load(Relaxed);
        self.store(micros(latency).max(before / 8 * 7));
    }

    /// Records that a post timed out, which doubles the time-out.
    pub(super) fn record_timeout(&self) {
        self.store(micros(self.current() * 2 / Self::FACTOR));
    }

    fn store(&self, slowest: u64) {
        // Concurrent updates may overwrite each other. That does no harm, because they are based on
        // similar latencies.
        self.slowest.store(slowest.min(micros(self.max / Self::FACTOR)), Relaxed);
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_timeout_follows_latencies_and_doubles_after_a_timeout() {
        let ms = Duration::from_millis;
        let timeout = AdaptiveTimeout::new(ms(500));
        assert_eq!(timeout.current(), ms(500), "it starts with the maximum");
        for _ in 0..30 {
            timeout.record(ms(5));
        }
        assert_eq!(timeout.current(), ms(100), "fast posts shorten it to the minimum");
        timeout.record(ms(60));
        assert_eq!(timeout.current(), ms(240));
        timeout.record(ms(5));
        assert_eq!(timeout.current(), ms(210), "a slow post gradually loses its weight");
        for expected in [420, 500, 500] {
            timeout.record_timeout();
            assert_eq!(timeout.current(), ms(expected), "time-outs double it, up to the maximum");
        }
        timeout.record(ms(5));
        assert!(timeout.current() < ms(500));
        timeout.record(Duration::MAX);
        assert_eq!(timeout.current(), ms(500));
        for _ in 0..40 {
            timeout.record(ms(1));
        }
        assert_eq!(timeout.current(), ms(100));
    }
}
