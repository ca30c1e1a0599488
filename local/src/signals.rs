//! Requests to stop the local cloud: Ctrl-C, SIGTERM, SIGHUP (its terminal closed), or the end of
//! its standard input.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Requests to stop, which other tasks can wait for.
#[derive(Debug, Clone)]
pub(crate) struct Stop {
    /// Cancelled by the first request: stop in order.
    pub(crate) requested: CancellationToken,
    /// Cancelled by the second request: stop at once.
    pub(crate) urgent: CancellationToken,
}

impl Stop {
    /// Listens for signals, and for the end of standard input if `watch_stdin` is set. Must be
    /// called in a Tokio runtime.
    ///
    /// # Errors
    /// When the system refuses to register a signal handler.
    pub(crate) fn listen(watch_stdin: bool) -> std::io::Result<Self> {
        let stop = Self { requested: CancellationToken::new(), urgent: CancellationToken::new() };
        for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
            let mut signals = signal(kind)?;
            let stop = stop.clone();
            tokio::spawn(async move {
                while signals.recv().await.is_some() {
                    stop.request();
                }
            });
        }
        if watch_stdin {
            let stop = stop.clone();
            // Reads on a thread, because a read of Tokio's standard input would keep the runtime
            // from shutting down.
            std::thread::spawn(move || {
                drop(std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
                stop.requested.cancel();
            });
        }
        Ok(stop)
    }

    fn request(&self) {
        if self.requested.is_cancelled() {
            self.urgent.cancel();
        }
        self.requested.cancel();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_request_is_urgent() {
        let stop = Stop { requested: CancellationToken::new(), urgent: CancellationToken::new() };
        stop.request();
        assert!(stop.requested.is_cancelled() && !stop.urgent.is_cancelled());
        stop.request();
        assert!(stop.urgent.is_cancelled());
    }
}
