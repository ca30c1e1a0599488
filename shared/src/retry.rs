//! How long to wait before trying again.

use std::time::Duration;

use crate::auth::random;
use crate::error::Result;

/// Full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter"), so that those who failed
/// together don't come back together: between a millisecond and `first`, which doubles with each
/// retry, up to `longest`.
pub(crate) fn jitter(retry: u32, first: Duration, longest: Duration) -> Result<Duration> {
    let ceiling = first.saturating_mul(1 << retry.min(16)).min(longest);
    let part = f64::from(u16::from_be_bytes(random()?)) / f64::from(u16::MAX);
    Ok(ceiling.mul_f64(part).max(Duration::from_millis(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_within_what_doubles_up_to_the_longest() {
        let ms = Duration::from_millis;
        for (retry, most) in [(0, 10), (1, 20), (5, 320), (6, 640), (7, 640), (u32::MAX, 640)] {
            let waits: Vec<_> = (0..200).map(|_| jitter(retry, ms(10), ms(640)).unwrap()).collect();
            assert!(
                waits.iter().all(|wait| (ms(1)..=ms(most)).contains(wait)),
                "{retry}: {waits:?}"
            );
            assert!(waits.iter().any(|wait| *wait > ms(most) / 2), "{retry}: all are short");
        }
    }
}
