//! `/_local/idempotency_keys`: lets all idempotency keys expire.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use crate::error::Error;
use crate::store::record::SavedResponse;
use crate::stripe::Stripe;
use crate::transaction::Cause;

/// A time so long ago that every saved response has expired.
const LONG_AGO: i64 = i64::MIN / 2;

/// `DELETE`: forgets the responses for all idempotency keys, and returns their number.
///
/// # Errors
/// 500 when the data file cannot be written.
pub(super) async fn forget(State(stripe): State<Arc<Stripe>>) -> Result<Json<usize>, Error> {
    stripe.transact(Cause::default(), |transaction| {
        let responses: Vec<_> = transaction.store.saved_responses.values().cloned().collect();
        let count = responses.len();
        for response in responses {
            transaction.put(SavedResponse { created: LONG_AGO, ..response });
        }
        Json(count)
    })
}
