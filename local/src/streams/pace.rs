//! The timing of event source mappings.

use std::time::Duration;

/// How often streams are read, and how long retries wait. AWS doesn't document its delays. These
/// are short enough for a developer to watch retries happen.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// How often a stream is read when there is no notification of a write.
    pub poll: Duration,
    /// The delay before the first retry. It doubles with each further retry.
    pub first_retry: Duration,
    /// The longest delay before a retry.
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
    /// Returns the delay before a retry. The first retry is 1.
    pub(super) fn backoff(&self, retry: u32) -> Duration {
        self.first_retry
            .saturating_mul(2_u32.saturating_pow(retry.saturating_sub(1)))
            .min(self.longest_retry)
    }
}
