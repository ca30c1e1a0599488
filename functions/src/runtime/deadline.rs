//! The end of an invocation, seen coming: what Lambda cuts off leaves the caller with the gateway's
//! error, and a whole batch undone.

use std::time::{Duration, SystemTime};

use shared::error::{Error, Result, catalogue};

/// What is left for the answer itself.
const RESERVE: Duration = Duration::from_millis(500);

/// The longest that Lambda lets anything take
/// (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>). A deadline that has
/// passed longer ago is none: `cargo lambda watch`, which ends nothing, gives one of 1970.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// Does `work` until shortly before `deadline`. It may be dropped at any await: every handler can
/// be cut off anywhere and be called again.
///
/// # Errors
/// `timed_out` (503), besides those of `work`.
pub(crate) async fn within<T>(
    deadline: SystemTime,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    let now = SystemTime::now();
    if now.duration_since(deadline).is_ok_and(|passed| passed > LONGEST) {
        return work.await;
    }
    let left = deadline.duration_since(now).unwrap_or_default().saturating_sub(RESERVE);
    tokio::time::timeout(left, work).await.unwrap_or_else(|_| Err(timed_out()))
}

fn timed_out() -> Error {
    let detail = "It took too long, and may still have taken effect. Read the object, or send the request again with its Idempotency-Key.";
    Error::new(&catalogue::TIMED_OUT, detail).retry_after(5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_ends_by_itself_or_before_its_deadline() {
        let far = SystemTime::now() + Duration::from_secs(60);
        assert_eq!(within(far, async { Ok(7) }).await.unwrap(), 7);
        let over = SystemTime::now();
        let error = within(over, std::future::pending::<Result<()>>()).await.unwrap_err();
        assert!(error.is(&catalogue::TIMED_OUT) && error.retry_after_seconds().is_some());
        let none = SystemTime::UNIX_EPOCH + Duration::from_secs(600);
        assert_eq!(within(none, async { Ok(7) }).await.unwrap(), 7);
    }
}
