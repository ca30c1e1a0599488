//! Waiting for what will be so in a while, however busy the machine is.

use std::time::Duration;

/// Asks until there is an answer, ever less often, for a minute and a half.
pub async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let mut wait = Duration::from_millis(40);
    for _ in 0..100 {
        if let Some(answer) = ask().await {
            return answer;
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 3 / 2).min(Duration::from_secs(1));
    }
    panic!("not in a long time: {what}");
}
