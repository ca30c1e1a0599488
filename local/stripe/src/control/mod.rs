//! The control API under `/_local/`, with which tests and people control the stand-in. The README
//! documents it.

mod disputes;
mod faults;
mod idempotency_keys;
mod payments;
mod refunds;
mod webhooks;

use std::sync::Arc;

use axum::Router;
use axum::routing::{delete, get, post};

use crate::stripe::Stripe;

/// Returns the routes of the control API.
pub(crate) fn routes() -> Router<Arc<Stripe>> {
    Router::new()
        .route("/", get(index))
        .route("/_local/webhooks", get(webhooks::show).post(webhooks::set))
        .route("/_local/webhooks/release", post(webhooks::release))
        .route("/_local/webhooks/send", post(webhooks::send))
        .route("/_local/events/{id}/replay", post(webhooks::replay))
        .route("/_local/faults", get(faults::list).post(faults::add).delete(faults::clear))
        .route("/_local/idempotency_keys", delete(idempotency_keys::forget))
        .route("/_local/payment_intents/{id}/authenticate", get(payments::authentication_page))
        .route("/_local/payment_intents/{id}/succeed", post(payments::succeed))
        .route("/_local/payment_intents/{id}/fail", post(payments::fail))
        .route("/_local/refunds/{id}/settle", post(refunds::settle))
        .route("/_local/disputes", post(disputes::open))
        .route("/_local/disputes/{id}/close", post(disputes::close))
}

async fn index() -> &'static str {
    "A local stand-in for Stripe. The API is under /v1/, the control API under /_local/:\n\
     webhooks, webhooks/release, webhooks/send, events/{id}/replay, faults, idempotency_keys,\n\
     payment_intents/{id}/succeed, payment_intents/{id}/fail, refunds/{id}/settle,\n\
     disputes, disputes/{id}/close\n"
}
