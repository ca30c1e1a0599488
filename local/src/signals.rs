//! What ends the local cloud: Ctrl-C, SIGTERM, SIGHUP (its terminal is closed), or the end of its
//! standard input.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Requests to stop.
#[derive(Debug, Clone)]
pub(crate) struct Stop {
    /// The first request: finish in order.
    pub(crate) asked: CancellationToken,
    /// The second request: stop at once.
    pub(crate) urged: CancellationToken,
}

impl Stop {
    /// Listens for signals, and for the end of standard input if `stdin`. Needs a Tokio runtime.
    ///
    /// # Errors
    /// When the operating system refuses a signal handler.
    pub(crate) fn listen(stdin: bool) -> std::io::Result<Self> {
        let stop = Self { asked: CancellationToken::new(), urged: CancellationToken::new() };
        for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
            let mut signals = signal(kind)?;
            let stop = stop.clone();
            tokio::spawn(async move {
                while signals.recv().await.is_some() {
                    stop.request();
                }
            });
        }
        if stdin {
            let stop = stop.clone();
            // Not Tokio's standard input: the runtime would wait for it at the end.
            std::thread::spawn(move || {
                drop(std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
                stop.asked.cancel();
            });
        }
        Ok(stop)
    }

    fn request(&self) {
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
    fn the_second_request_stops_at_once() {
        let stop = Stop { asked: CancellationToken::new(), urged: CancellationToken::new() };
        stop.request();
        assert!(stop.asked.is_cancelled() && !stop.urged.is_cancelled());
        stop.request();
        assert!(stop.urged.is_cancelled());
    }
}
