//! How fast event source mappings work.

use std::time::Duration;

/// How often streams are read, and how long retries wait. AWS does not document its own waits;
/// these let a developer see what happens.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// How often a stream is read when no write was noticed.
    pub poll: Duration,
    /// The wait before the first retry; it doubles with each.
    pub first_retry: Duration,
    /// The longest wait before a retry.
    pub longest_retry: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(1),
            first_retry: Duration::from_millis(250),
            longest_retry: Duration::from_secs(15),
        }
    }
}

impl Pace {
    /// The wait before this retry, counted from 1.
    pub(super) fn backoff(&self, retry: u32) -> Duration {
        self.first_retry
            .saturating_mul(2_u32.saturating_pow(retry.saturating_sub(1)))
            .min(self.longest_retry)
    }
}
