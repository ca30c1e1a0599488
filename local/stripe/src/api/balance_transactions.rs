//! `/v1/balance_transactions`: <https://docs.stripe.com/api/balance_transactions>.

use serde_json::Value;

use super::call::Call;
use crate::error::Error;
use crate::lookup;
use crate::transaction::Transaction;

/// `GET /v1/balance_transactions/{id}`
///
/// # Errors
/// 400 for an unknown parameter, 404 when the balance transaction does not exist.
pub(super) fn retrieve(transaction: &mut Transaction<'_>, call: &mut Call) -> Result<Value, Error> {
    call.finish_params()?;
    lookup::balance_transaction(transaction.store, &call.id)
        .ok_or_else(|| Error::missing("balance transaction", &call.id))
}
