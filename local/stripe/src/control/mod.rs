//! The control API under `/_local/`: what a test, or a curious person, does to the stand-in.
//! Documented in [the crate](crate).

mod webhooks;

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::Value;

use super::error::Error;
use super::faults::Rule;
use super::objects::payment_intent::Status;
use super::store::Reply;
use super::transaction::Cause;
use super::{Stripe, dispute, refund};

type App = State<Arc<Stripe>>;

/// The routes.
pub(super) fn routes() -> Router<Arc<Stripe>> {
    Router::new()
        .route("/", get(index))
        .merge(webhooks::routes())
        .route("/_local/faults", get(list_faults).post(add_fault).delete(clear_faults))
        .route("/_local/idempotency_keys", delete(forget_keys))
        .route("/_local/payment_intents/{id}/authenticate", get(authentication_page))
        .route("/_local/payment_intents/{id}/succeed", post(succeed))
        .route("/_local/payment_intents/{id}/fail", post(fail))
        .route("/_local/refunds/{id}/settle", post(settle_refund))
        .route("/_local/disputes", post(open_dispute))
        .route("/_local/disputes/{id}/close", post(close_dispute))
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let status = axum::http::StatusCode::from_u16(self.status)
            .unwrap_or(axum::http::StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(self.to_json())).into_response()
    }
}

async fn index() -> &'static str {
    "A local stand-in for Stripe. The API is under /v1/, with any sk_test_ key; the control API is under /_local/:\n\
     webhooks, webhooks/release, webhooks/send, events/{id}/replay, faults,\n\
     payment_intents/{id}/succeed, payment_intents/{id}/fail, refunds/{id}/settle, disputes, disputes/{id}/close\n"
}

async fn list_faults(State(stripe): App) -> Json<Vec<Rule>> {
    Json(stripe.faults.list())
}

async fn add_fault(State(stripe): App, Json(rule): Json<Rule>) -> Json<Vec<Rule>> {
    stripe.faults.add(rule);
    list_faults(State(stripe)).await
}

async fn clear_faults(State(stripe): App) -> Json<Vec<Rule>> {
    stripe.faults.clear();
    list_faults(State(stripe)).await
}

async fn forget_keys(State(stripe): App) -> Result<Json<Value>, Error> {
    stripe.transact(Cause::default(), |transaction| {
        let keys: Vec<_> = transaction.store.replies.values().cloned().collect();
        let count = keys.len();
        // Older than any answer is kept.
        keys.into_iter()
            .for_each(|reply| transaction.put(Reply { created: i64::MIN / 2, ..reply }));
        Json(count.into())
    })
}

async fn authentication_page(
    State(stripe): App,
    Path(id): Path<String>,
) -> Result<Html<String>, Error> {
    let intent = stripe
        .store()
        .intents
        .get(&id)
        .cloned()
        .ok_or_else(|| Error::missing("payment_intent", &id))?;
    let asked = super::money::format(intent.amount, &intent.currency);
    // The id is one of ours, so it needs no escaping.
    Ok(Html(format!(
        "<!doctype html><title>Test bank</title><h1>Pay {asked}?</h1>\
         <form method=post action=succeed><button>Complete authentication</button></form>\
         <form method=post action=fail><button>Fail authentication</button></form><p>{}</p>",
        intent.id
    )))
}

async fn succeed(app: App, id: Path<String>, headers: HeaderMap) -> Result<Response, Error> {
    conclude(app, id, &headers, true)
}

async fn fail(app: App, id: Path<String>, headers: HeaderMap) -> Result<Response, Error> {
    conclude(app, id, &headers, false)
}

fn conclude(
    State(stripe): App,
    Path(id): Path<String>,
    headers: &HeaderMap,
    succeeds: bool,
) -> Result<Response, Error> {
    let intent = stripe.transact(Cause::default(), |transaction| {
        let intent = transaction.intent(&id)?;
        if !matches!(intent.status, Status::RequiresAction | Status::Processing) {
            return Err(intent.unexpected_state(format!(
                "This PaymentIntent waits for nobody: it has a status of {}.",
                intent.status.name()
            )));
        }
        Ok(transaction.conclude(intent, Some(succeeds)))
    })??;
    // A person at the bank's page goes back to the shop; a test gets the intent.
    let person = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"));
    Ok(match intent.return_url.as_deref().filter(|_| person) {
        Some(url) => {
            let separator = if url.contains('?') { '&' } else { '?' };
            let status = if intent.status == Status::Succeeded { "succeeded" } else { "failed" };
            let secret = &intent.client_secret;
            let back = format!(
                "{url}{separator}payment_intent={id}&payment_intent_client_secret={secret}&redirect_status={status}"
            );
            Redirect::to(&back).into_response()
        }
        None => Json(intent.to_json()).into_response(),
    })
}

async fn settle_refund(State(stripe): App, Path(id): Path<String>) -> Result<Json<Value>, Error> {
    let settled = stripe.transact(Cause::default(), |transaction| {
        Ok(refund::settle(transaction, transaction.refund(&id)?))
    })??;
    Ok(Json(settled.to_json()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OpenDispute {
    payment_intent: Option<String>,
    charge: Option<String>,
    #[serde(default = "fraudulent")]
    reason: String,
}

fn fraudulent() -> String {
    "fraudulent".to_owned()
}

async fn open_dispute(
    State(stripe): App,
    Json(open): Json<OpenDispute>,
) -> Result<Json<Value>, Error> {
    let dispute = stripe.transact(Cause::default(), |transaction| {
        let charge = match (&open.payment_intent, &open.charge) {
            (Some(intent), None) => refund::charge_of_intent(transaction, intent)?,
            (None, Some(charge)) => transaction.charge(charge)?,
            _ => {
                return Err(Error::parameter("charge", "Give either payment_intent or charge."));
            }
        };
        dispute::open_checked(transaction, charge, &open.reason)
    })??;
    Ok(Json(dispute.to_json()))
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Won,
    Lost,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CloseDispute {
    status: Verdict,
}

async fn close_dispute(
    State(stripe): App,
    Path(id): Path<String>,
    Json(close): Json<CloseDispute>,
) -> Result<Json<Value>, Error> {
    let won = matches!(close.status, Verdict::Won);
    let dispute = stripe
        .transact(Cause::default(), |transaction| dispute::close(transaction, &id, won))??;
    Ok(Json(dispute.to_json()))
}
