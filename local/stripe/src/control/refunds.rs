//! `/_local/refunds`: the bank settles a refund.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde_json::Value;

use crate::error::Error;
use crate::refund;
use crate::stripe::Stripe;
use crate::transaction::Cause;

/// `POST /_local/refunds/{id}/settle`: settles a refund now instead of later.
///
/// # Errors
/// 404 when the refund does not exist, 500 when the data file cannot be written.
pub(super) async fn settle(
    State(stripe): State<Arc<Stripe>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Error> {
    let refund = stripe.transact(Cause::default(), |transaction| {
        let refund = transaction.refund(&id)?;
        Ok(refund::settle(transaction, refund))
    })??;
    Ok(Json(refund.to_json()))
}
