//! The reconciler: by the clock, it finds what got stuck between Stripe and an order, and has it
//! done. Events that never reached us, events that were stored and not applied, orders that may
//! have been paid without our being told, orders whose intent is to be canceled or whose money is
//! to go back.
//!
//! Every step of it is one that somebody else may be taking at the same time, so it can run twice,
//! and can miss a run.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::domain::order::Order;
use shared::error::{Error, Result};
use shared::payments::{Stripe, StripeApi};
use shared::store::{StripeEvent, WriteOutcome};

use super::service::intent_is_missing;
use super::{PaymentService, SyncOutcome};
use crate::runtime::sweep::Sweep;

/// How long a run looks for more.
const PATIENCE: Duration = Duration::from_secs(60);

/// Things that are done at the same time: far from Stripe's limit of 100 requests a second.
const AT_ONCE: usize = 4;

/// What a run may be told; a schedule tells it nothing of this.
#[derive(Debug, Deserialize)]
#[serde(default)]
struct ReconcileOptions {
    /// What is younger is left to those who are about to do it.
    older_than_seconds: i64,
    /// How far back to look for events that did not reach us. Stripe tries to deliver them for
    /// three days, and lists them for thirty.
    undelivered_hours: i64,
}

impl Default for ReconcileOptions {
    fn default() -> Self {
        Self { older_than_seconds: 300, undelivered_hours: 72 }
    }
}

/// What a run did.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Events that Stripe could not deliver and that are stored now; they are applied as all
    /// others.
    fetched: usize,
    /// Stored events that were applied.
    applied: usize,
    /// Orders that were brought on.
    settled: usize,
    /// What failed, and is logged; the next run tries again.
    failed: usize,
}

/// Heals what it finds. `{"older_than_seconds"?, "undelivered_hours"?}` -> `{fetched, applied,
/// settled, failed}`.
///
/// # Errors
/// 422 for an event whose members are not numbers.
pub async fn handle(context: &PaymentService<Stripe>, event: Value) -> Result<Report> {
    let options: ReconcileOptions = serde_json::from_value(event)
        .map_err(|e| Error::field("event", "invalid", e.to_string()))?;
    let report = context.reconcile(&options).await;
    tracing::info!(
        fetched = report.fetched,
        applied = report.applied,
        settled = report.settled,
        failed = report.failed,
        "reconciled"
    );
    Ok(report)
}

impl<P: StripeApi> PaymentService<P> {
    async fn reconcile(&self, options: &ReconcileOptions) -> Report {
        let sweep = Sweep::start(PATIENCE, AT_ONCE);
        let now = Timestamp::now();
        let until =
            now - SignedDuration::from_secs(options.older_than_seconds.clamp(0, 30 * 24 * 3600));
        let since = now - SignedDuration::from_hours(options.undelivered_hours.clamp(0, 30 * 24));

        let pending = self.store.pending_events(until);
        let applied = sweep.each(pending, |event| self.reapply(event)).await;
        let orders = self.store.orders_with_unsettled_money(until);
        let settled = sweep.each(orders, |order| self.advance(order)).await;
        // Last, because a Stripe that is slow with it must not keep the rest from being done.
        let undelivered = match self.stripe.undelivered_events(since).await {
            Ok(bodies) => bodies.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        };
        let fetched = sweep.each(futures::stream::iter(undelivered), |body| self.fetch(body)).await;
        Report { fetched, applied, settled, failed: sweep.failed() }
    }

    /// Stores an event as if it had come. From there on it takes the usual way.
    async fn fetch(&self, body: String) -> Result<bool> {
        let event = StripeEvent::received(body.as_bytes(), Timestamp::now());
        match self.store.receive_event(&event).await? {
            WriteOutcome::Written => {
                tracing::warn!(event = %event.id, kind = event.kind, "event {} had not reached us", event.id);
                Ok(true)
            }
            WriteOutcome::Conflict(_) => Ok(false),
        }
    }

    async fn reapply(&self, event: StripeEvent) -> Result<bool> {
        self.apply(&event.id).await.map(|()| true)
    }

    /// Asks Stripe how far the order's payment or refund is, and does what is to be done next.
    async fn advance(&self, listed: Order) -> Result<bool> {
        // What an index shows may be old, and has no history.
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
