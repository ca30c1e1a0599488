//! The time, as Stripe writes it.

/// Returns the current time in Unix seconds.
pub(crate) fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}
