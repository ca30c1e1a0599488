//! Stripe's webhook events, as administrators list them.

use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::{Checkout, Cloud, Shopper, Stripe, User, eventually};

/// Returns the shared cloud whose Stripe stand-in sends no webhooks. Tests deliver events
/// themselves.
pub async fn cloud_without_webhooks() -> &'static Cloud {
    static CLOUD: OnceCell<Cloud> = OnceCell::const_new();
    CLOUD.get_or_init(|| start_without_webhooks("without-webhooks")).await
}

/// Starts a cloud whose Stripe stand-in sends no webhooks.
pub async fn start_without_webhooks(name: &str) -> Cloud {
    let cloud = Cloud::start(name, &["--ephemeral"]);
    Stripe::of(&cloud).control("webhooks", json!({"mode": "drop"})).await;
    cloud
}

/// Delivers all events of one type about this payment, and returns them.
pub async fn deliver_events(shopper: &Shopper, checkout: &Checkout, kind: &str) -> Vec<Value> {
    let events = shopper.stripe.events_of(&checkout.intent, &[kind]).await;
    assert!(!events.is_empty(), "Stripe has no {kind}");
    for event in &events {
        shopper.stripe.deliver(event).await;
    }
    events
}

/// Returns all stored events in this state, newest first.
pub async fn events_in_state(admin: &User, state: &str) -> Vec<Value> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/webhooks/stripe/events?state={state}&limit=100{cursor}");
        let page = eventually("a page of events", async || {
            admin.api.get(&path).await.ok_unless_unavailable()
        })
        .await;
        found.extend(page["items"].as_array().expect("items").iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

/// Waits until the event is in this state, and returns its list entry.
pub async fn until_event(admin: &User, state: &str, event: &str) -> Value {
    let find =
        async || events_in_state(admin, state).await.into_iter().find(|item| item["id"] == event);
    eventually(&format!("{event} is {state}"), find).await
}

/// Waits until none of these events is pending.
pub async fn until_handled(admin: &User, ids: &[&str]) {
    eventually(&format!("{ids:?} are handled"), async || {
        let pending = events_in_state(admin, "pending").await;
        let waits = pending.iter().any(|event| ids.contains(&event["id"].as_str().expect("an id")));
        (!waits).then_some(())
    })
    .await;
}
