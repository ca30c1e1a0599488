//! The current time, in Stripe's format.

/// Returns the current time in Unix seconds.
pub(crate) fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}
