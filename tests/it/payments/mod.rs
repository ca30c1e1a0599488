//! Payments: one intent for each order, declines, slow banks, refunds, disputes, and all the ways
//! in which Stripe can fail.
//!
//! Most tests run in a cloud whose Stripe stand-in delivers no webhooks. They decide themselves
//! which event arrives when.

mod access;
mod apply;
mod cancel;
mod confirm;
mod create;
mod disputes;
mod event_order;
mod get;
mod races;
mod reconcile;
mod refunds;

use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::support::{Checkout, Cloud, Response, User, eventually, start_without_webhooks};

/// Returns a cloud without webhooks, in which tests invoke the reconciler.
async fn reconciled_cloud() -> &'static Cloud {
    static CLOUD: OnceCell<Cloud> = OnceCell::const_new();
    CLOUD.get_or_init(|| start_without_webhooks("reconciled")).await
}

/// Runs the reconciler over all orders, without fetching undelivered events. A run may fail,
/// because Stripe fails for the orders of another test.
async fn reconcile(cloud: &Cloud) -> Response {
    let event = json!({"older_than_seconds": 0, "undelivered_hours": 0});
    cloud.try_invoke("payments-reconcile", event).await
}

/// Runs the reconciler until the order has these statuses. On a busy machine a step of one run may
/// fail, and the next run repeats it.
async fn reconcile_until(cloud: &Cloud, checkout: &Checkout, status: &str, payment_status: &str) {
    let expected = (status.to_owned(), payment_status.to_owned());
    let run = async || {
        reconcile(cloud).await;
        (checkout.statuses().await == expected).then_some(())
    };
    eventually(&format!("{} is {expected:?}", checkout.order), run).await;
}

/// Returns the reasons why this order is in the administrators' list of orders that need attention,
/// or `None` if it isn't in the list.
async fn attention(admin: &User, order: &str) -> Option<Value> {
    let mut path = "/orders?attention=true&limit=100".to_owned();
    loop {
        let page = eventually("a page of orders", async || {
            admin.api.get(&path).await.ok_unless_unavailable()
        })
        .await;
        if let Some(found) =
            page["items"].as_array().unwrap().iter().find(|item| item["id"] == order)
        {
            return Some(found["attention"].clone());
        }
        let cursor = page["next_cursor"].as_str()?;
        path = format!("/orders?attention=true&limit=100&cursor={cursor}");
    }
}

/// Waits until the administrators' list gives these reasons.
async fn until_attention(admin: &User, order: &str, expected: Option<Value>) {
    let what = format!("{order}: {expected:?}");
    eventually(&what, async || (attention(admin, order).await == expected).then_some(())).await;
}
