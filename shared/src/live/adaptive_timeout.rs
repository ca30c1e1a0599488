//! How long a post may take when others are waiting.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::push::TimeoutPolicy;

/// How long posts take at the moment: what takes much longer than others is not worth the others'
/// waiting. As TCP finds its retransmission time-out (RFC 6298), it follows what is seen, and
/// doubles when nothing is.
#[derive(Debug)]
pub(super) struct AdaptiveTimeout {
    /// Of the posts of late, about the slowest; in microseconds.
    slowest: AtomicU64,
}

impl AdaptiveTimeout {
    const LEAST: Duration = Duration::from_millis(100);
    const MOST: Duration = TimeoutPolicy::Short.limit();
    /// A post is slow that takes so many times as long as others.
    const TIMES: u32 = 4;

    /// Knows of nothing yet, and so is patient.
    pub(super) fn new() -> Self {
        Self { slowest: AtomicU64::new(micros(Self::MOST / Self::TIMES)) }
    }

    /// What is longer than this is slow.
    pub(super) fn limit(&self) -> Duration {
        (Duration::from_micros(self.slowest.load(Relaxed)) * Self::TIMES)
            .clamp(Self::LEAST, Self::MOST)
    }

    /// A post was answered after this time. What was slower before is forgotten by and by.
    pub(super) fn answered(&self, after: Duration) {
        let before = self.slowest.load(Relaxed);
        self.note(micros(after).max(before / 8 * 7));
    }

    /// One was given up at the limit.
    pub(super) fn given_up(&self) {
        self.note(micros(self.limit() * 2 / Self::TIMES));
    }

    fn note(&self, slowest: u64) {
        // Those who do this at the same time all know about the same.
        self.slowest.store(slowest.min(micros(Self::MOST / Self::TIMES)), Relaxed);
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_are_waited_for_as_long_as_posts_take_and_no_longer() {
        let (pulse, ms) = (AdaptiveTimeout::new(), Duration::from_millis);
        assert_eq!(pulse.limit(), ms(500), "who knows nothing is patient");
        for _ in 0..30 {
            pulse.answered(ms(5));
        }
        assert_eq!(pulse.limit(), ms(100), "and no more so than needed once it knows");
        pulse.answered(ms(60));
        assert_eq!(pulse.limit(), ms(240));
        pulse.answered(ms(5));
        assert_eq!(pulse.limit(), ms(210), "what was slow is forgotten by and by");
        for expected in [420, 500, 500] {
            pulse.given_up();
            assert_eq!(pulse.limit(), ms(expected), "all of them may have become slow");
        }
        pulse.answered(ms(5));
        assert!(pulse.limit() < ms(500));
        pulse.answered(Duration::MAX);
        assert_eq!(pulse.limit(), ms(500));
        for _ in 0..40 {
            pulse.answered(ms(1));
        }
        assert_eq!(pulse.limit(), ms(100));
    }
}
