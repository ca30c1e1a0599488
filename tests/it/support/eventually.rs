//! Waits for conditions that must become true eventually, however busy the machine is.

use std::time::Duration;

/// Calls `poll` until it returns a value. Panics after a minute and a half, naming what it waited
/// for.
pub async fn eventually<T>(what: &str, poll: impl AsyncFnMut() -> Option<T>) -> T {
    try_eventually(poll).await.unwrap_or_else(|| panic!("timed out waiting for: {what}"))
}

/// Like [`eventually`], but returns `None` after a minute and a half, for callers that describe the
/// failure in more detail.
pub async fn try_eventually<T>(mut poll: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let mut pause = Duration::from_millis(40);
    for _ in 0..100 {
        if let Some(value) = poll().await {
            return Some(value);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 3 / 2).min(Duration::from_secs(1));
    }
    None
}
