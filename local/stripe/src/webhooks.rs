//! Webhooks: every event is posted to the endpoint, signed, until it is answered with a 2xx,
//! however long that takes, at growing intervals (<https://docs.stripe.com/webhooks>). The events
//! of one change are sent in their order; those of two changes race, as at Stripe.
//!
//! An event that was not delivered is still pending in the store, so it is sent again after a
//! restart, held ones included.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::{Deserialize, Serialize};

use super::delivery::Outcome;
use super::objects::event::Delivery;
use super::{Stripe, ids};

/// What happens to new events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Mode {
    /// Sent at once.
    Deliver,
    /// Kept until they are released.
    Hold,
    /// Never sent.
    Drop,
    /// Gathered for [`Options::reorder_window`](super::Options), then sent newest first, one after
    /// the other.
    Reverse,
    /// The same, in a random order.
    Shuffle,
}

/// How webhooks are sent.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Switches {
    pub(super) mode: Mode,
    /// How long each delivery is put off.
    pub(super) delay_ms: u64,
    /// How often each event is delivered.
    pub(super) repeat: u32,
    /// The secrets that sign: one `v1` for each.
    #[serde(skip)]
    pub(super) secrets: Vec<String>,
}

/// The way to the endpoint, and what is kept back from it.
#[derive(Debug)]
pub(super) struct Webhooks {
    pub(super) client: Client<HttpConnector, Full<Bytes>>,
    state: Mutex<State>,
}

/// The switches, and the events they keep back.
#[derive(Debug)]
pub(super) struct State {
    pub(super) switches: Switches,
    /// In mode `hold`.
    pub(super) held: Vec<String>,
    /// Being gathered, to be reordered.
    gathered: Vec<String>,
}

impl Webhooks {
    /// Delivers at once, signed with `secret`.
    pub(super) fn new(secret: &str) -> Self {
        let switches = Switches {
            mode: Mode::Deliver,
            delay_ms: 0,
            repeat: 1,
            secrets: vec![secret.to_owned()],
        };
        // An endpoint under development restarts often; a kept connection would fail one delivery
        // each time.
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http();
        Self {
            client,
            state: Mutex::new(State { switches, held: Vec::new(), gathered: Vec::new() }),
        }
    }

    /// The switches and what they keep back.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stripe {
    /// Sends new events on their way, as the switches say.
    pub(super) fn dispatch(self: &Arc<Self>, events: Vec<String>) {
        if events.is_empty() || self.options.webhook_url.is_none() {
            return;
        }
        let mut state = self.webhooks.state();
        let (mode, delay) = (state.switches.mode, Duration::from_millis(state.switches.delay_ms));
        match mode {
            Mode::Deliver => self.deliver_later(delay, move |_| events),
            Mode::Hold => state.held.extend(events),
            Mode::Drop => {
                drop(state);
                events.iter().for_each(|event| self.mark(event, Delivery::Dropped));
            }
            Mode::Reverse | Mode::Shuffle => {
                let first = state.gathered.is_empty();
                state.gathered.extend(events);
                if first {
                    self.deliver_later(delay + self.options.reorder_window, move |stripe| {
                        let mut gathered = std::mem::take(&mut stripe.webhooks.state().gathered);
                        match mode {
                            Mode::Shuffle => shuffle(&mut gathered),
                            _ => gathered.reverse(),
                        }
                        gathered
                    });
                }
            }
        }
    }

    /// Delivers, some time later, what there is to deliver then.
    fn deliver_later(
        self: &Arc<Self>,
        delay: Duration,
        events: impl FnOnce(&Self) -> Vec<String> + Send + 'static,
    ) {
        let stripe = Arc::clone(self);
        self.spawn(async move {
            tokio::time::sleep(delay).await;
            for event in events(&stripe) {
                stripe.deliver_or_retry(&event).await;
            }
        });
    }

    /// Delivers an event; when it is not taken, goes on trying on the side.
    pub(super) async fn deliver_or_retry(self: &Arc<Self>, event: &str) -> Outcome {
        let outcome = self.deliver(event).await;
        if !outcome.accepted() {
            let (stripe, event) = (Arc::clone(self), event.to_owned());
            self.spawn(async move { stripe.retry(&event).await });
        }
        outcome
    }

    /// Delivers an event as often as the switches say; the outcome is the last one, or the first
    /// failure.
    async fn deliver(&self, event: &str) -> Outcome {
        let repeat = self.webhooks.state().switches.repeat.max(1);
        let mut outcome = self.deliver_once(event).await;
        for _ in 1..repeat {
            if !outcome.accepted() {
                break;
            }
            outcome = self.deliver_once(event).await;
        }
        outcome
    }

    /// Delivers until the event is taken, or somebody else has seen to it.
    async fn retry(&self, event: &str) {
        let mut delay = self.options.retry_first;
        loop {
            tokio::time::sleep(delay).await;
            delay = (delay * 2).min(self.options.retry_longest);
            if self
                .store()
                .events
                .get(event)
                .is_none_or(|event| event.delivery != Delivery::Pending)
            {
                return;
            }
            let mode = self.webhooks.state().switches.mode;
            match mode {
                Mode::Hold => {
                    self.webhooks.state().held.push(event.to_owned());
                    return;
                }
                Mode::Drop => {
                    self.mark(event, Delivery::Dropped);
                    return;
                }
                Mode::Deliver | Mode::Reverse | Mode::Shuffle => {
                    if self.deliver(event).await.accepted() {
                        return;
                    }
                }
            }
        }
    }
}

/// A random order.
pub(super) fn shuffle(events: &mut [String]) {
    events.sort_by_cached_key(|_| ids::random(8));
}
