//! Webhook events, as administrators see them.

use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::{Cloud, Stripe, User, eventually};

/// A cloud where nothing is heard of Stripe unless a test delivers it.
pub async fn silent() -> &'static Cloud {
    static CLOUD: OnceCell<Cloud> = OnceCell::const_new();
    let start = async || {
        let cloud = Cloud::start("silent", &["--ephemeral"]);
        Stripe::of(&cloud).control("webhooks", json!({"mode": "drop"})).await;
        cloud
    };
    CLOUD.get_or_init(start).await
}

/// All events that are in an administrator's list of this state, newest first.
pub async fn listed(admin: &User, state: &str) -> Vec<Value> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/webhooks/stripe/events?state={state}&limit=100{cursor}");
        let page = eventually("a page", async || admin.api.get(&path).await.unless_busy()).await;
        found.extend(page["items"].as_array().expect("items").iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

/// Waits until an event is in the list of this state.
pub async fn filed(admin: &User, state: &str, event: &str) -> Value {
    let find = async || listed(admin, state).await.into_iter().find(|item| item["id"] == event);
    eventually(&format!("{event} is {state}"), find).await
}

/// Waits until something was done about all of these events.
pub async fn handled(admin: &User, ids: &[&str]) {
    eventually(&format!("{ids:?} are handled"), async || {
        let pending = listed(admin, "pending").await;
        let waits = pending.iter().any(|event| ids.contains(&event["id"].as_str().expect("an id")));
        (!waits).then_some(())
    })
    .await;
}
