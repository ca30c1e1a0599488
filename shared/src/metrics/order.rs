//! The metrics of a change to an order.

use super::{ATTENTION, Metric, ORDERS, PAYMENTS, REFUNDS};
use crate::domain::order::{Attention, Order, RefundStatus};

/// Counts what a stored change did to an order. `before` is `None` for a new order.
pub fn count_change(before: Option<&Order>, now: &Order) {
    for (metric, by, count) in changes(before, now) {
        metric.add(by, count);
    }
}

/// What [`count_change`] counts.
pub(super) fn changes(before: Option<&Order>, now: &Order) -> Vec<(Metric, &'static str, usize)> {
    let mut changes = Vec::new();
    if before.is_none_or(|before| before.status != now.status) {
        changes.push((ORDERS, now.status.as_str(), 1));
    }
    let known = before.map(Order::attention).unwrap_or_default();
    let gained = now.attention().into_iter().filter(|reason| !known.contains(reason));
    changes.extend(gained.map(|reason: Attention| (ATTENTION, reason.as_str(), 1)));
    let Some(before) = before else { return changes };
    if before.payment_status != now.payment_status {
        changes.push((PAYMENTS, now.payment_status.as_str(), 1));
    }
    let refunds = |order: &Order, status| {
        order.refunds.iter().filter(|refund| refund.status == status).count()
    };
    for (outcome, status) in
        [("succeeded", RefundStatus::Succeeded), ("failed", RefundStatus::Failed)]
    {
        let new = refunds(now, status).saturating_sub(refunds(before, status));
        changes.extend((new > 0).then_some((REFUNDS, outcome, new)));
    }
    let is_refused = now.refused_refunds > before.refused_refunds;
    changes.extend(is_refused.then_some((REFUNDS, "refused", 1)));
    changes
}
