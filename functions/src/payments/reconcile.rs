//! `payments-reconcile`: runs on a schedule and completes whatever got stuck between Stripe and an
//! order: events that never arrived, events that were stored but not applied, orders that may have
//! been paid without a webhook, and orders whose intent must be canceled or whose payment must be
//! refunded.
//!
//! Each step is safe while another function takes the same step, so runs may overlap, repeat or be
//! missed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::domain::order::Order;
use shared::error::{Error, Result};
use shared::metrics::STUCK;
use shared::payments::{Stripe, StripeApi};
use shared::store::{StripeEvent, WriteOutcome};

use super::service::intent_is_missing;
use super::{PaymentService, SyncOutcome};
use crate::runtime::sweep::Sweep;

/// How long a run goes on to new items.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// How many items are processed at the same time: far below Stripe's limit of 100 requests a
/// second.
const CONCURRENCY: usize = 4;

/// Options of a run. The schedule sends none.
#[derive(Debug, Deserialize)]
#[serde(default)]
struct ReconcileOptions {
    /// Skips events and orders that changed more recently than this, because other functions are
    /// about to handle them.
    older_than_seconds: i64,
    /// How far back to look for events that did not arrive. Stripe retries delivery for three days,
    /// and lists events for thirty.
    undelivered_hours: i64,
}

impl Default for ReconcileOptions {
    fn default() -> Self {
        Self { older_than_seconds: 300, undelivered_hours: 72 }
    }
}

/// The counts of one run.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Undelivered events that were fetched from Stripe and stored. They are applied like all
    /// others.
    fetched: usize,
    /// Stored events that were applied.
    applied: usize,
    /// Orders that changed.
    settled: usize,
}

/// Reconciles, and returns `{fetched, applied, settled}`. The event may hold `older_than_seconds`
/// and `undelivered_hours`.
///
/// # Errors
/// 422 when one of them is not a number; `internal` if an item failed, after all others were
/// processed. The next run tries it again.
pub async fn handle(context: &PaymentService<Stripe>, event: Value) -> Result<Report> {
    let options: ReconcileOptions = serde_json::from_value(event)
        .map_err(|e| Error::field("event", "invalid", e.to_string()))?;
    context.reconcile(&options).await
}

impl<P: StripeApi> PaymentService<P> {
    async fn reconcile(&self, options: &ReconcileOptions) -> Result<Report> {
        let sweep = Sweep::start(TIME_LIMIT, CONCURRENCY);
        let now = Timestamp::now();
        let until =
            now - SignedDuration::from_secs(options.older_than_seconds.clamp(0, 30 * 24 * 3600));
        let since = now - SignedDuration::from_hours(options.undelivered_hours.clamp(0, 30 * 24));

        let pending = self.store.pending_events(until);
        // `apply` records the order.
        let event_span = |event: &StripeEvent| tracing::info_span!("reconcile", event = %event.id, order = tracing::field::Empty);
        let applied = sweep.for_each(pending, event_span, |event| self.apply_pending(event)).await;
        let orders = self.store.orders_with_unsettled_money(until);
        let order_span = |order: &Order| tracing::info_span!("reconcile", order = %order.id);
        let stuck = AtomicUsize::new(0);
        let settle = async |order: Order| {
            let is_stuck = order.is_stuck(now);
            let settled = self.settle_listed(order).await;
            if is_stuck && !matches!(settled, Ok(true)) {
                stuck.fetch_add(1, Ordering::Relaxed);
            }
            settled
        };
        let settled = sweep.for_each(orders, order_span, settle).await;
        STUCK.add("", stuck.into_inner());
        // Last, so that a slow answer from Stripe does not delay the rest.
        let undelivered = match self.stripe.undelivered_events(since).await {
            Ok(bodies) => {
                let event = |body: String| StripeEvent::received(body.as_bytes(), Timestamp::now());
                bodies.into_iter().map(|body| Ok(event(body))).collect()
            }
            Err(error) => vec![Err(error)],
        };
        let undelivered = futures::stream::iter(undelivered);
        let store = |event| self.store_undelivered(event);
        let fetched = sweep.for_each(undelivered, event_span, store).await;
        tracing::info!(fetched, applied, settled, failed = sweep.failed(), "reconciled");
        sweep.finish(Report { fetched, applied, settled })
    }

    /// Stores an event as if Stripe had delivered it; `payments-apply` then applies it. Returns
    /// `false` if the event was stored already.
    async fn store_undelivered(&self, event: StripeEvent) -> Result<bool> {
        match self.store.receive_event(&event).await? {
            WriteOutcome::Written => {
                tracing::warn!(event = %event.id, kind = event.kind, "event {} had not arrived", event.id);
                Ok(true)
            }
            WriteOutcome::Conflict(_) => Ok(false),
        }
    }

    async fn apply_pending(&self, event: StripeEvent) -> Result<bool> {
        self.apply(&event.id).await.map(|()| true)
    }

    /// Reads the order's payment from Stripe, and does at Stripe what the order needs. Returns
    /// whether the order changed.
    async fn settle_listed(&self, listed: Order) -> Result<bool> {
        // The order from the index may be outdated, and has no history.
        let Some(order) = self.store.order(&listed.id).await? else { return Ok(false) };
        let Some(intent) = order.payment_intent.clone() else { return Ok(false) };
        let (version, with_refunds) = (order.version, order.is_charged());
        let order = match self.sync_order(order, &intent, with_refunds).await? {
            SyncOutcome::Applied(order) | SyncOutcome::Unchanged(order) => order,
            SyncOutcome::Mismatch(id, mismatch) => {
                return self.record_mismatch(&id, &intent, mismatch).await.map(|()| false);
            }
            other => return Err(intent_is_missing(&intent, &other)),
        };
        Ok(self.settle(order).await?.version > version)
    }
}
