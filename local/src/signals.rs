//! What ends the local cloud: Ctrl-C, SIGTERM, SIGHUP (its terminal is closed), or the end of its
//! standard input.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The wishes for an end.
#[derive(Debug, Clone)]
pub(crate) struct Stop {
    /// It was asked for: finish in order.
    pub(crate) asked: CancellationToken,
    /// It was asked for again: at once.
    pub(crate) urged: CancellationToken,
}

impl Stop {
    /// Listens for signals, and for the end of standard input if `stdin`. Needs a Tokio runtime.
    ///
    /// # Errors
    /// When the system does not let us.
    pub(crate) fn listen(stdin: bool) -> std::io::Result<Self> {
        let stop = Self { asked: CancellationToken::new(), urged: CancellationToken::new() };
        for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
            let mut signals = signal(kind)?;
            let stop = stop.clone();
            tokio::spawn(async move {
                while signals.recv().await.is_some() {
                    stop.wish();
                }
            });
        }
        if stdin {
            let stop = stop.clone();
            // Not Tokio's standard input, which would be waited for at the end.
            std::thread::spawn(move || {
                drop(std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
                stop.asked.cancel();
            });
        }
        Ok(stop)
    }

    fn wish(&self) {
        if self.asked.is_cancelled() {
            self.urged.cancel();
        }
        self.asked.cancel();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_wish_is_urgent() {
        let stop = Stop { asked: CancellationToken::new(), urged: CancellationToken::new() };
        stop.wish();
        assert!(stop.asked.is_cancelled() && !stop.urged.is_cancelled());
        stop.wish();
        assert!(stop.urged.is_cancelled());
    }
}
