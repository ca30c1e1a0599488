//! `orders-timers`: runs every minute and moves the orders whose deadline has passed, as the
//! transition table says: unpaid and unclaimed orders are canceled, unreviewed deliveries
//! completed.
//!
//! A timer belongs to the status that started it. Each transition is checked on the order as it was
//! read and is written only if the order still has that version. So runs may overlap, repeat or be
//! missed, and a timer that fires after its order has moved does nothing. `payments-apply` then does
//! at Stripe what the stored order requires.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use shared::domain::order::{ActorContext, Order, Status};
use shared::error::Result;
use shared::store::WriteOutcome;

use super::OrderTimers;
use crate::runtime::sweep::Sweep;

/// How long a run goes on to new orders: less than the minute after which the next run starts.
const TIME_LIMIT: Duration = Duration::from_secs(50);

/// How many orders are moved at the same time.
const CONCURRENCY: usize = 8;

/// The counts of one run.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Orders canceled because nobody paid for or claimed them in time.
    canceled: usize,
    /// Orders completed because their client did not review the delivery in time.
    completed: usize,
    /// Orders that somebody else moved first.
    overtaken: usize,
    /// Orders that failed. Each is logged, and the next run tries it again.
    failed: usize,
}

/// Moves all orders that are due, and returns `{canceled, completed, overtaken, failed}`.
///
/// # Errors
/// None: failures are counted and logged, and the next run tries again.
pub async fn handle(context: &OrderTimers, _: Value) -> Result<Report> {
    let sweep = Sweep::start(TIME_LIMIT, CONCURRENCY);
    let counts = Counts::default();
    sweep
        .for_each(context.store.due_orders(Timestamp::now()), |listed| {
            counts.fire_and_count(context, listed)
        })
        .await;
    let report = Report {
        canceled: counts.canceled.into_inner(),
        completed: counts.completed.into_inner(),
        overtaken: counts.overtaken.into_inner(),
        failed: sweep.failed(),
    };
    tracing::info!(
        canceled = report.canceled,
        completed = report.completed,
        overtaken = report.overtaken,
        failed = report.failed,
        "moved the orders whose deadline had passed"
    );
    Ok(report)
}

#[derive(Default)]
struct Counts {
    canceled: AtomicUsize,
    completed: AtomicUsize,
    overtaken: AtomicUsize,
}

impl Counts {
    async fn fire_and_count(&self, context: &OrderTimers, listed: Order) -> Result<bool> {
        let moved = fire_timer(context, &listed).await?;
        let count = match &moved {
            None => &self.overtaken,
            Some(order) if order.status == Status::Completed => &self.completed,
            Some(_) => &self.canceled,
        };
        count.fetch_add(1, Ordering::Relaxed);
        Ok(moved.is_some())
    }
}

/// Makes the transition that is due, and returns the order after it. Returns `None` if no transition
/// is due any more, or if another request was faster.
async fn fire_timer(context: &OrderTimers, listed: &Order) -> Result<Option<Order>> {
    // The order from the index may be outdated, and has no history.
    let Some(order) = context.store.order(&listed.id).await? else { return Ok(None) };
    let now = Timestamp::now();
    let Some(transition) = order.due(now) else { return Ok(None) };
    let next = order.transition(transition, ActorContext::timer(now), &context.timers)?;
    match context.store.advance_order(&next, &order).await? {
        WriteOutcome::Written => {
            let (id, status) = (&next.id, next.status.as_str());
            tracing::info!(order = %id, to = status, "{}: {id} is {status}", transition.as_str());
            Ok(Some(next))
        }
        WriteOutcome::Conflict(_) => Ok(None),
    }
}
