//! Webhooks: each event is posted to the endpoint, at growing intervals, until the endpoint answers
//! with a 2xx (<https://docs.stripe.com/webhooks>). The events of one change are sent in order.
//! Events of different changes can overtake each other, as at Stripe.
//!
//! An event that was not delivered stays pending in the store, so it is sent again after a restart,
//! even if it was held.

use std::sync::Arc;
use std::time::Duration;

use crate::delivery::WebhookResponse;
use crate::objects::event::DeliveryStatus;
use crate::outbox::{Mode, shuffle};
use crate::stripe::Stripe;

impl Stripe {
    /// Sends, holds or drops new events, as the settings say.
    pub(crate) fn dispatch(self: &Arc<Self>, events: Vec<String>) {
        if events.is_empty() || self.options.webhook_url.is_none() {
            return;
        }
        let mut outbox = self.outbox.lock();
        let mode = outbox.settings.mode;
        let delay = Duration::from_millis(outbox.settings.delay_ms);
        match mode {
            Mode::Deliver => self.deliver_later(delay, move |_| events),
            Mode::Hold => outbox.held.extend(events),
            Mode::Drop => {
                drop(outbox);
                events.iter().for_each(|event| self.mark(event, DeliveryStatus::Dropped));
            }
            Mode::Reverse | Mode::Shuffle => {
                let first = outbox.collected.is_empty();
                outbox.collected.extend(events);
                if first {
                    self.deliver_later(delay + self.options.reorder_window, move |stripe| {
                        let mut events = std::mem::take(&mut stripe.outbox.lock().collected);
                        match mode {
                            Mode::Shuffle => shuffle(&mut events),
                            _ => events.reverse(),
                        }
                        events
                    });
                }
            }
        }
    }

    /// Waits for `delay`, then delivers the events that `events` returns.
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

    /// Delivers an event. If the endpoint doesn't accept it, a background task keeps trying.
    pub(crate) async fn deliver_or_retry(self: &Arc<Self>, event: &str) -> WebhookResponse {
        let response = self.deliver(event).await;
        if !response.accepted() {
            let (stripe, event) = (Arc::clone(self), event.to_owned());
            self.spawn(async move { stripe.retry(&event).await });
        }
        response
    }

    /// Delivers an event as often as the settings say, until the endpoint doesn't accept it.
    /// Returns the last response.
    async fn deliver(&self, event: &str) -> WebhookResponse {
        let repeat = self.outbox.lock().settings.repeat.max(1);
        let mut response = self.deliver_once(event).await;
        for _ in 1..repeat {
            if !response.accepted() {
                break;
            }
            response = self.deliver_once(event).await;
        }
        response
    }

    /// Delivers an event again until the endpoint accepts it. Ends early if the event is held,
    /// dropped, or replayed through the control API.
    async fn retry(&self, event: &str) {
        let mut delay = self.options.retry_first;
        loop {
            tokio::time::sleep(delay).await;
            delay = (delay * 2).min(self.options.retry_longest);
            if !self.is_pending(event) {
                return;
            }
            let mode = self.outbox.lock().settings.mode;
            match mode {
                Mode::Hold => return self.outbox.lock().held.push(event.to_owned()),
                Mode::Drop => return self.mark(event, DeliveryStatus::Dropped),
                Mode::Deliver | Mode::Reverse | Mode::Shuffle => {
                    if self.deliver(event).await.accepted() {
                        return;
                    }
                }
            }
        }
    }

    fn is_pending(&self, event: &str) -> bool {
        let store = self.store();
        store.events.get(event).is_some_and(|event| event.delivery == DeliveryStatus::Pending)
    }
}
