//! `orders-timers`: runs every minute and moves the orders whose deadline has passed, as the
//! transition table says: unpaid and unclaimed orders are canceled, unreviewed deliveries
//! completed.
//!
//! A timer belongs to the status that started it. Each transition is checked on the order as it was
//! read and is written only if the order still has that version. So runs may overlap, repeat or be
//! missed, and a timer that fires after its order has moved does nothing. `payments-apply` then
//! does at Stripe what the stored order requires.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use shared::domain::order::{ActorContext, Order, Status};
use shared::error::Result;
use shared::metrics::{STUCK, TIMERS};
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
}

/// Moves all orders that are due, and returns `{canceled, completed, overtaken}`.
///
/// # Errors
/// `internal` if an order failed, after all others were moved. The next run tries it again.
pub async fn handle(context: &OrderTimers, _: Value) -> Result<Report> {
    let sweep = Sweep::start(TIME_LIMIT, CONCURRENCY);
    let counts = Counts::default();
    sweep
        .for_each(
            context.store.due_orders(Timestamp::now()),
            |listed| tracing::info_span!("timer", order = %listed.id),
            |listed| counts.fire_and_count(context, listed),
        )
        .await;
    let report = Report {
        canceled: counts.canceled.into_inner(),
        completed: counts.completed.into_inner(),
        overtaken: counts.overtaken.into_inner(),
    };
    for (outcome, count) in
        [("done", report.canceled + report.completed), ("failed", sweep.failed())]
    {
        // A metric is billed for the hours in which it is sent.
        if count > 0 {
            TIMERS.add(outcome, count);
        }
    }
    STUCK.add("", counts.stuck.into_inner());
    tracing::info!(
        canceled = report.canceled,
        completed = report.completed,
        overtaken = report.overtaken,
        failed = sweep.failed(),
        "moved the orders whose deadline had passed"
    );
    sweep.finish(report)
}

#[derive(Default)]
struct Counts {
    canceled: AtomicUsize,
    completed: AtomicUsize,
    overtaken: AtomicUsize,
    /// Orders that failed, and that should have moved on long ago.
    stuck: AtomicUsize,
}

impl Counts {
    async fn fire_and_count(&self, context: &OrderTimers, listed: Order) -> Result<bool> {
        let moved = fire_timer(context, &listed).await.inspect_err(|_| {
            let is_stuck = listed.is_stuck(Timestamp::now());
            self.stuck.fetch_add(usize::from(is_stuck), Ordering::Relaxed);
        })?;
        let count = match &moved {
            None => &self.overtaken,
            Some(order) if order.status == Status::Completed => &self.completed,
            Some(_) => &self.canceled,
        };
        count.fetch_add(1, Ordering::Relaxed);
        Ok(moved.is_some())
    }
}

/// Makes the transition that is due, and returns the order after it. Returns `None` if no
/// transition is due any more, or if another request was faster.
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
