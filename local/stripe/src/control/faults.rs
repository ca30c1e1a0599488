//! `/_local/faults`: injects faults into the next calls of the API.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use crate::faults::Rule;
use crate::stripe::Stripe;

/// `GET`: lists the pending rules.
pub(super) async fn list(State(stripe): State<Arc<Stripe>>) -> Json<Vec<Rule>> {
    Json(stripe.faults.list())
}

/// `POST`: adds a rule.
pub(super) async fn add(
    State(stripe): State<Arc<Stripe>>,
    Json(rule): Json<Rule>,
) -> Json<Vec<Rule>> {
    stripe.faults.add(rule);
    Json(stripe.faults.list())
}

/// `DELETE`: removes all rules.
pub(super) async fn clear(State(stripe): State<Arc<Stripe>>) -> Json<Vec<Rule>> {
    stripe.faults.clear();
    Json(stripe.faults.list())
}
