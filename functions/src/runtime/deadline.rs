//! Ends work shortly before Lambda would. If Lambda ends an invocation, the caller gets the
//! gateway's error instead of ours, and a whole batch counts as failed.

use std::time::{Duration, SystemTime};

use shared::error::{Error, Result, catalogue};

/// The time reserved for sending the response.
const RESERVE: Duration = Duration::from_millis(500);

/// Lambda's longest timeout
/// (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>). A deadline that
/// passed longer ago than this is not a real one: `cargo lambda watch`, which never ends an
/// invocation, sends a deadline in 1970.
const MAX_TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// Runs `work` until shortly before `deadline`, then drops it. Dropping a handler at any `await` is
/// safe, because every handler can be interrupted anywhere and called again.
///
/// # Errors
/// `timed_out` (503), besides those of `work`.
pub(crate) async fn within<T>(
    deadline: SystemTime,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    let now = SystemTime::now();
    if now.duration_since(deadline).is_ok_and(|passed| passed > MAX_TIMEOUT) {
        return work.await;
    }
    let left = deadline.duration_since(now).unwrap_or_default().saturating_sub(RESERVE);
    tokio::time::timeout(left, work).await.unwrap_or_else(|_| Err(timed_out()))
}

fn timed_out() -> Error {
    let detail = "The request took too long and may still have taken effect. Read the resource, or send \
                  the request again with the same Idempotency-Key.";
    Error::new(&catalogue::TIMED_OUT, detail).retry_after(5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_is_ended_before_its_deadline() {
        let far = SystemTime::now() + Duration::from_secs(60);
        assert_eq!(within(far, async { Ok(7) }).await.unwrap(), 7);
        let over = SystemTime::now();
        let error = within(over, std::future::pending::<Result<()>>()).await.unwrap_err();
        assert!(error.is(&catalogue::TIMED_OUT) && error.retry_after_seconds().is_some());
        let not_real = SystemTime::UNIX_EPOCH + Duration::from_secs(600);
        assert_eq!(within(not_real, async { Ok(7) }).await.unwrap(), 7);
    }
}
