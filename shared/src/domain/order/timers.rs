//! How long each timer of an order runs.

use jiff::{SignedDuration, Timestamp};

use super::state::Timer;

/// The duration of each timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timers {
    /// How long a client has to pay ([`Timer::Unpaid`]).
    pub unpaid: SignedDuration,
    /// How long an open order waits for a worker ([`Timer::Unclaimed`]).
    pub unclaimed: SignedDuration,
    /// How long a client has to review a delivery ([`Timer::Unreviewed`]).
    pub unreviewed: SignedDuration,
}

impl Default for Timers {
    /// 30 minutes, 7 days and 3 days.
    fn default() -> Self {
        Self {
            unpaid: SignedDuration::from_mins(30),
            unclaimed: SignedDuration::from_hours(7 * 24),
            unreviewed: SignedDuration::from_hours(3 * 24),
        }
    }
}

impl Timers {
    /// Returns when a timer started at `start` runs out.
    pub(super) fn deadline(&self, timer: Timer, start: Timestamp) -> Timestamp {
        let duration = match timer {
            Timer::Unpaid => self.unpaid,
            Timer::Unclaimed => self.unclaimed,
            Timer::Unreviewed => self.unreviewed,
        };
        start.checked_add(duration).unwrap_or(Timestamp::MAX)
    }
}
