//! `orders-timers`: by the clock, it moves the orders whose deadline has passed, as the transition
//! table says: nobody paid, nobody claimed, nobody reviewed.
//!
//! A timer belongs to the state that armed it: each move is decided on the order as it is read, and
//! written only over that version. So it may run twice, and at the same time, and miss a run; and a
//! timer that fires after its order has moved does nothing. What a move brings about at Stripe
//! follows from the stored order (`payments-apply`).

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

/// How long a run looks for more: less than a minute, upon which the next one starts.
const PATIENCE: Duration = Duration::from_secs(50);

/// Orders that are moved at the same time.
const AT_ONCE: usize = 8;

/// What a run did.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Orders that nobody paid for or claimed in time.
    canceled: usize,
    /// Deliveries that their client said nothing about.
    completed: usize,
    /// Orders that somebody moved meanwhile.
    overtaken: usize,
    /// What failed, and is logged; the next run tries again.
    failed: usize,
}

/// Moves what is due -> `{canceled, completed, overtaken, failed}`.
///
/// # Errors
/// None: what fails is counted, logged and tried again by the next run.
pub async fn handle(context: &Clockwork, _: Value) -> Result<Report> {
    let sweep = Sweep::start(PATIENCE, AT_ONCE);
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

/// The order after the move that its deadline makes; `None` when there is nothing due any more, or
/// someone was faster.
async fn fire(context: &Clockwork, listed: &Order) -> Result<Option<Order>> {
    // What an index shows may be old, and has no history.
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
