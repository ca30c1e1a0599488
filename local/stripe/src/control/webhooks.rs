//! `/_local/webhooks` and `/_local/events`: changes the settings of webhooks, and sends webhooks on
//! demand.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::clock::now;
use crate::delivery::WebhookResponse;
use crate::error::Error;
use crate::json::pretty;
use crate::objects::event::DeliveryStatus;
use crate::outbox::{Mode, shuffle};
use crate::signature;
use crate::stripe::Stripe;

/// `GET /_local/webhooks`: returns the settings, and the ids of held and of undelivered events.
pub(super) async fn show(State(stripe): State<Arc<Stripe>>) -> Json<Value> {
    let pending: Vec<_> = stripe
        .store()
        .events
        .iter()
        .filter(|event| event.delivery == DeliveryStatus::Pending)
        .map(|event| event.id.clone())
        .collect();
    let outbox = stripe.outbox.lock();
    let mut shown = json!(outbox.settings);
    shown["held"] = json!(outbox.held);
    shown["pending"] = json!(pending);
    Json(shown)
}

/// The settings to change. Absent ones stay as they are.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewSettings {
    mode: Option<Mode>,
    delay_ms: Option<u64>,
    repeat: Option<u32>,
    secrets: Option<Vec<String>>,
}

/// `POST /_local/webhooks`: changes the settings.
pub(super) async fn set(
    State(stripe): State<Arc<Stripe>>,
    Json(new): Json<NewSettings>,
) -> Json<Value> {
    {
        let settings = &mut stripe.outbox.lock().settings;
        settings.mode = new.mode.unwrap_or(settings.mode);
        settings.delay_ms = new.delay_ms.unwrap_or(settings.delay_ms);
        settings.repeat = new.repeat.unwrap_or(settings.repeat);
        if let Some(secrets) = new.secrets {
            settings.secrets = secrets;
        }
    }
    show(State(stripe)).await
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "snake_case")]
enum Order {
    #[default]
    AsCreated,
    Reverse,
    Shuffle,
}

/// The order in which held events are released.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Release {
    #[serde(default)]
    order: Order,
}

/// `POST /_local/webhooks/release`: delivers the held events one after the other, and returns the
/// endpoint's responses.
pub(super) async fn release(
    State(stripe): State<Arc<Stripe>>,
    Json(release): Json<Release>,
) -> Json<Value> {
    let mut events = std::mem::take(&mut stripe.outbox.lock().held);
    match release.order {
        Order::AsCreated => {}
        Order::Reverse => events.reverse(),
        Order::Shuffle => shuffle(&mut events),
    }
    let mut answers = Vec::new();
    for event in events {
        let response = stripe.deliver_or_retry(&event).await;
        answers.push(json!({ "event": event, "status": response.status, "body": response.body }));
    }
    Json(answers.into())
}

/// A webhook with any content and any signature.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ForgedWebhook {
    /// JSON, or a string that is sent unchanged.
    body: Value,
    secrets: Option<Vec<String>>,
    timestamp: Option<i64>,
    signature: Option<String>,
}

/// `POST /_local/webhooks/send`: posts any body to the endpoint, and returns its response.
pub(super) async fn send(
    State(stripe): State<Arc<Stripe>>,
    Json(forged): Json<ForgedWebhook>,
) -> Json<WebhookResponse> {
    let body = match forged.body {
        Value::String(text) => text,
        value => pretty(&value),
    };
    let secrets = forged.secrets.unwrap_or_else(|| stripe.outbox.lock().settings.secrets.clone());
    let signature = forged.signature.unwrap_or_else(|| {
        signature::header(&secrets, forged.timestamp.unwrap_or_else(now), body.as_bytes())
    });
    Json(stripe.post(body, &signature).await)
}

/// `POST /_local/events/{id}/replay`: delivers one event again, and returns the endpoint's
/// response.
///
/// # Errors
/// 404 when the event does not exist.
pub(super) async fn replay(
    State(stripe): State<Arc<Stripe>>,
    Path(id): Path<String>,
) -> Result<Json<WebhookResponse>, Error> {
    if stripe.store().events.get(&id).is_none() {
        return Err(Error::missing("event", &id));
    }
    Ok(Json(stripe.deliver_once(&id).await))
}
