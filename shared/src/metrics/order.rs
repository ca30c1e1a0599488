//! The metrics of a change to an order.

use super::{ATTENTION, ORDERS, PAYMENTS, REFUNDS};
use crate::domain::order::{Attention, Order, RefundStatus};

/// Counts what a stored change did to an order. `before` is `None` for a new order.
pub fn count_change(before: Option<&Order>, now: &Order) {
    if before.is_none_or(|before| before.status != now.status) {
        ORDERS.add(now.status.as_str(), 1);
    }
    if before.is_some_and(|before| before.payment_status != now.payment_status) {
        PAYMENTS.add(now.payment_status.as_str(), 1);
    }
    let known: Vec<Attention> = before.map(Order::attention).unwrap_or_default();
    for reason in now.attention().into_iter().filter(|reason| !known.contains(reason)) {
        ATTENTION.add(reason.as_str(), 1);
    }
    let Some(before) = before else { return };
    let with_status = |order: &Order, status| {
        order.refunds.iter().filter(|refund| refund.status == status).count()
    };
    for (outcome, status) in
        [("succeeded", RefundStatus::Succeeded), ("failed", RefundStatus::Failed)]
    {
        let new = with_status(now, status).saturating_sub(with_status(before, status));
        if new > 0 {
            REFUNDS.add(outcome, new);
        }
    }
    if now.refused_refunds > before.refused_refunds {
        REFUNDS.add("refused", 1);
    }
}
