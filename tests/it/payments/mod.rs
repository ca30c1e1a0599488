//! Payments: one intent an order, declines, banks that take their time, refunds, disputes, and Stripe
//! failing in every way it can.
//!
//! Most of it runs in a cloud whose Stripe stand-in delivers no webhooks: each test decides which event
//! arrives when.

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

use crate::support::{Checkout, Cloud, Shopper, Stripe, User, eventually};

/// The webhook events of one type about this payment, delivered.
pub async fn tell(shopper: &Shopper, checkout: &Checkout, kind: &str) -> Vec<Value> {
    let events = shopper.stripe.events_of(&checkout.intent, &[kind]).await;
    assert!(!events.is_empty(), "Stripe has no {kind}");
    for event in &events {
        shopper.stripe.deliver(event).await;
    }
    events
}

/// A cloud in which webhooks never come, and the reconciler runs as often as a test likes.
async fn deaf() -> &'static Cloud {
    static CLOUD: OnceCell<Cloud> = OnceCell::const_new();
    let start = async || {
        let cloud = Cloud::start("deaf", &["--ephemeral"]);
        Stripe::of(&cloud).control("webhooks", json!({"mode": "drop"})).await;
        cloud
    };
    CLOUD.get_or_init(start).await
}

/// One run that looks at everything but events that did not reach us.
async fn reconcile(cloud: &Cloud) -> Value {
    cloud
        .invoke("payments-reconcile", json!({"older_than_seconds": 0, "undelivered_hours": 0}))
        .await
}

/// Runs until the order is in these states: on a busy machine something may fail in a run, and the
/// next one does it.
async fn healed(cloud: &Cloud, checkout: &Checkout, status: &str, payment_status: &str) {
    let wanted = (status.to_owned(), payment_status.to_owned());
    let run = async || {
        reconcile(cloud).await;
        (checkout.states().await == wanted).then_some(())
    };
    eventually(&format!("{} is {wanted:?}", checkout.order), run).await;
}

/// Why an administrator should look at this order, as their list has it; `None` when it is not
/// there.
async fn attention(admin: &User, order: &str) -> Option<Value> {
    let mut path = "/orders?attention=true&limit=100".to_owned();
    loop {
        let page = eventually("a page", async || admin.api.get(&path).await.unless_busy()).await;
        if let Some(found) =
            page["items"].as_array().unwrap().iter().find(|item| item["id"] == order)
        {
            return Some(found["attention"].clone());
        }
        let cursor = page["next_cursor"].as_str()?;
        path = format!("/orders?attention=true&limit=100&cursor={cursor}");
    }
}

/// Waits until the list says this.
async fn until_attention(admin: &User, order: &str, expected: Option<Value>) {
    let what = format!("{order}: {expected:?}");
    eventually(&what, async || (attention(admin, order).await == expected).then_some(())).await;
}
