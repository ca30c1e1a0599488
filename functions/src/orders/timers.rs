//! `orders-timers`: runs every minute and moves the orders whose deadline has passed, as the
//! transition table says: unpaid and unclaimed orders are canceled, unreviewed deliveries
//! completed.
//!
//! A timer belongs to the state that armed it. Each transition is decided on the order as it is
//! read and written only over that version, so runs may overlap, repeat or be missed, and a timer
//! that fires after its order has moved does nothing. What a transition requires at Stripe follows
//! from the stored order (`payments-apply`).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use shared::domain::order::{ActorContext, Order, Status};
use shared::error::Result;
use shared::store::WriteOutcome;

use super::Clockwork;
use crate::runtime::sweep::Sweep;

/// How long a run takes on new orders: less than the minute after which the next run starts.
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
pub async fn handle(context: &Clockwork, _: Value) -> Result<Report> {
    let sweep = Sweep::start(TIME_LIMIT, CONCURRENCY);
    let counts = Counts::default();
    sweep
        .each(context.store.due_orders(Timestamp::now()), |listed| counts.fire(context, listed))
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
        "timers have run"
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
    async fn fire(&self, context: &Clockwork, listed: Order) -> Result<bool> {
        let moved = fire(context, &listed).await?;
        let count = match &moved {
            None => &self.overtaken,
            Some(order) if order.status == Status::Completed => &self.completed,
            Some(_) => &self.canceled,
        };
        count.fetch_add(1, Ordering::Relaxed);
        Ok(moved.is_some())
    }
}

/// Makes the transition that is due. Returns `None` when none is due any more, or another request
/// was faster.
async fn fire(context: &Clockwork, listed: &Order) -> Result<Option<Order>> {
    // An index may be stale, and its items have no history.
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
