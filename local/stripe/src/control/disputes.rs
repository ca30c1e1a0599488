//! `/_local/disputes`: the customer's bank opens and closes disputes.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::Value;

use crate::error::Error;
use crate::stripe::Stripe;
use crate::transaction::Cause;
use crate::{dispute, refund};

/// The body of a call that opens a dispute: the payment intent or the charge, and a reason.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OpenDispute {
    payment_intent: Option<String>,
    charge: Option<String>,
    #[serde(default = "fraudulent")]
    reason: String,
}

fn fraudulent() -> String {
    "fraudulent".to_owned()
}

/// `POST /_local/disputes`: opens a dispute.
///
/// # Errors
/// 400 when not exactly one of `payment_intent` and `charge` is given, or the charge cannot be
/// disputed; 404 when the charge does not exist; 500 when the data file cannot be written.
pub(super) async fn open(
    State(stripe): State<Arc<Stripe>>,
    Json(body): Json<OpenDispute>,
) -> Result<Json<Value>, Error> {
    let dispute = stripe.transact(Cause::default(), |transaction| {
        let charge = match (&body.payment_intent, &body.charge) {
            (Some(intent), None) => refund::charge_of_intent(transaction, intent)?,
            (None, Some(charge)) => transaction.charge(charge)?,
            _ => {
                return Err(Error::parameter("charge", "Give either payment_intent or charge."));
            }
        };
        dispute::open(transaction, charge, &body.reason)
    })??;
    Ok(Json(dispute.to_json()))
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Won,
    Lost,
}

/// The body of a call that closes a dispute.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CloseDispute {
    status: Verdict,
}

/// `POST /_local/disputes/{id}/close`: closes a dispute.
///
/// # Errors
/// 404 when the dispute does not exist, 400 when it is closed already, 500 when the data file
/// cannot be written.
pub(super) async fn close(
    State(stripe): State<Arc<Stripe>>,
    Path(id): Path<String>,
    Json(body): Json<CloseDispute>,
) -> Result<Json<Value>, Error> {
    let won = matches!(body.status, Verdict::Won);
    let dispute = stripe
        .transact(Cause::default(), |transaction| dispute::close(transaction, &id, won))??;
    Ok(Json(dispute.to_json()))
}
