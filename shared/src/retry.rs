//! Computes how long to wait before a retry.

use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};

use crate::error::{Error, Result};

/// Returns a random wait between 1 ms and a ceiling that starts at `first` and doubles with each
/// retry up to `longest`. This is full jitter (AWS Architecture Blog, "Exponential Backoff And
/// Jitter"), so that clients that failed together do not retry together.
pub(crate) fn jitter(retry: u32, first: Duration, longest: Duration) -> Result<Duration> {
    Ok(ceiling(retry, first, longest).mul_f64(fraction()?).max(Duration::from_millis(1)))
}

/// Returns a random wait between half the ceiling of [`jitter`] and that ceiling ("equal jitter" in
/// the same article), for a service that needs some time to recover before each retry.
pub(crate) fn equal_jitter(retry: u32, first: Duration, longest: Duration) -> Result<Duration> {
    let half = ceiling(retry, first, longest) / 2;
    Ok(half + half.mul_f64(fraction()?))
}

fn ceiling(retry: u32, first: Duration, longest: Duration) -> Duration {
    first.saturating_mul(1 << retry.min(16)).min(longest)
}

/// Returns a random number from 0 to 1.
fn fraction() -> Result<f64> {
    let mut bytes = [0; 2];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Error::internal("no random numbers"))?;
    Ok(f64::from(u16::from_be_bytes(bytes)) / f64::from(u16::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_stays_below_the_doubling_ceiling() {
        let ms = Duration::from_millis;
        for (retry, most) in [(0, 10), (1, 20), (5, 320), (6, 640), (7, 640), (u32::MAX, 640)] {
            let waits: Vec<_> = (0..200).map(|_| jitter(retry, ms(10), ms(640)).unwrap()).collect();
            assert!(
                waits.iter().all(|wait| (ms(1)..=ms(most)).contains(wait)),
                "{retry}: {waits:?}"
            );
            assert!(waits.iter().any(|wait| *wait > ms(most) / 2), "{retry}: all waits are short");
        }
    }
}
