//! The switches of the webhooks, and deliveries on demand.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::App;
use crate::api::pretty;
use crate::delivery::Outcome;
use crate::error::Error;
use crate::objects::event::Delivery;
use crate::webhooks::{Mode, shuffle};
use crate::{Stripe, now, signature};

/// Their routes.
pub(super) fn routes() -> Router<Arc<Stripe>> {
    Router::new()
        .route("/_local/webhooks", get(show).post(set))
        .route("/_local/webhooks/release", post(release))
        .route("/_local/webhooks/send", post(send))
        .route("/_local/events/{id}/replay", post(replay))
}

async fn show(State(stripe): App) -> Json<Value> {
    let pending: Vec<_> = stripe
        .store()
        .events
        .iter()
        .filter(|event| event.delivery == Delivery::Pending)
        .map(|event| event.id.clone())
        .collect();
    let state = stripe.webhooks.state();
    let mut shown = json!(state.switches);
    shown["held"] = json!(state.held);
    shown["pending"] = json!(pending);
    Json(shown)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetWebhooks {
    mode: Option<Mode>,
    delay_ms: Option<u64>,
    repeat: Option<u32>,
    secrets: Option<Vec<String>>,
}

async fn set(State(stripe): App, Json(new): Json<SetWebhooks>) -> Json<Value> {
    {
        let switches = &mut stripe.webhooks.state().switches;
        switches.mode = new.mode.unwrap_or(switches.mode);
        switches.delay_ms = new.delay_ms.unwrap_or(switches.delay_ms);
        switches.repeat = new.repeat.unwrap_or(switches.repeat);
        if let Some(secrets) = new.secrets {
            switches.secrets = secrets;
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Release {
    #[serde(default)]
    order: Order,
}

async fn release(State(stripe): App, Json(release): Json<Release>) -> Json<Value> {
    let mut events = std::mem::take(&mut stripe.webhooks.state().held);
    match release.order {
        Order::AsCreated => {}
        Order::Reverse => events.reverse(),
        Order::Shuffle => shuffle(&mut events),
    }
    let mut outcomes = Vec::new();
    for event in events {
        let outcome = stripe.deliver_or_retry(&event).await;
        outcomes.push(json!({ "event": event, "status": outcome.status, "body": outcome.body }));
    }
    Json(outcomes.into())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Send {
    body: Value,
    secrets: Option<Vec<String>>,
    timestamp: Option<i64>,
    signature: Option<String>,
}

async fn send(State(stripe): App, Json(send): Json<Send>) -> Json<Outcome> {
    let body = match send.body {
        Value::String(text) => text,
        value => pretty(&value),
    };
    let secrets = send.secrets.unwrap_or_else(|| stripe.webhooks.state().switches.secrets.clone());
    let signature = send.signature.unwrap_or_else(|| {
        signature::header(&secrets, send.timestamp.unwrap_or_else(now), body.as_bytes())
    });
    Json(stripe.post(body, &signature).await)
}

async fn replay(State(stripe): App, Path(id): Path<String>) -> Result<Json<Outcome>, Error> {
    if stripe.store().events.get(&id).is_none() {
        return Err(Error::missing("event", &id));
    }
    Ok(Json(stripe.deliver_once(&id).await))
}
