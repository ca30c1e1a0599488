//! Idempotency keys (<https://docs.stripe.com/api/idempotent_requests>). If the first call with a
//! key began to execute, every call with the same key gets the same response for 24 hours, even if
//! it was an error. It is an error to use a key with other parameters, or while the first call is
//! in progress.

use std::sync::Arc;

use super::response::ApiResponse;
use crate::clock::now;
use crate::error::Error;
use crate::store::record::SavedResponse;
use crate::stripe::Stripe;
use crate::transaction::Transaction;

/// The use of a key by one call.
pub(super) struct KeyUse {
    key: String,
    path: String,
    /// Sorted and encoded uniformly, so that the order and the encoding of the parameters don't
    /// matter.
    parameters: String,
}

impl KeyUse {
    /// Returns the use of `key` by a call of `path` with the encoded parameters.
    ///
    /// # Errors
    /// 400 `idempotency_error` when the key is empty or longer than 255 characters.
    pub(super) fn new(key: &str, path: &str, encoded: &[u8]) -> Result<Self, Error> {
        if key.is_empty() || key.len() > 255 {
            return Err(Error::idempotency(
                400,
                format!("Idempotency keys have 1 to 255 characters (you supplied: {}).", key.len()),
            ));
        }
        let mut pairs: Vec<_> = form_urlencoded::parse(encoded).collect();
        pairs.sort_unstable();
        let parameters =
            form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        Ok(Self { key: key.to_owned(), path: path.to_owned(), parameters })
    }

    /// Returns the record that keeps the response for later uses of the key.
    pub(super) fn save(
        self,
        response: &ApiResponse,
        transaction: &Transaction<'_>,
    ) -> SavedResponse {
        SavedResponse {
            key: self.key,
            path: self.path,
            parameters: self.parameters,
            status: response.status,
            body: response.body.clone(),
            request_id: transaction.cause.request_id.clone().unwrap_or_default(),
            created: transaction.now,
        }
    }

    /// Returns the first response again.
    ///
    /// # Errors
    /// 400 `idempotency_error` when the first use was another call.
    fn replay(&self, first: &SavedResponse) -> Result<ApiResponse, Error> {
        let error = |rule: String| {
            let message = format!(
                "Keys for idempotent requests can only be used {rule}. Try using a key other than \
                 '{}' if you meant to execute a different request.",
                self.key
            );
            Error::idempotency(400, message)
        };
        if first.path != self.path {
            return Err(error(format!(
                "for the same endpoint they were first used for ('{}' vs '{}')",
                self.path, first.path
            )));
        }
        if first.parameters != self.parameters {
            return Err(error("with the same parameters they were first used with".to_owned()));
        }
        Ok(ApiResponse {
            status: first.status,
            body: first.body.clone(),
            original_request: Some(first.request_id.clone()),
        })
    }
}

/// What to do with a call that has an idempotency key.
pub(super) enum Claim {
    /// Execute it. The key is in use until the guard is dropped.
    Execute(KeyGuard),
    /// Respond with the first response.
    Replay(ApiResponse),
}

/// Holds a key in use.
pub(super) struct KeyGuard {
    stripe: Arc<Stripe>,
    key: String,
}

impl Drop for KeyGuard {
    fn drop(&mut self) {
        self.stripe.keys_in_use().remove(&self.key);
    }
}

/// Claims the key for the call, or returns the response of the first call with this key.
///
/// # Errors
/// 409 `idempotency_key_in_use` while another call uses the key, 400 `idempotency_error` when the
/// first use was another call.
pub(super) fn claim(stripe: &Arc<Stripe>, key_use: &KeyUse) -> Result<Claim, Error> {
    let mut in_use = stripe.keys_in_use();
    if in_use.contains(&key_use.key) {
        let message = format!(
            "There is currently another in-progress request using this idempotent key (that \
             probably means you submitted twice, and the other request is still going through): \
             {}. Please try again later.",
            key_use.key
        );
        return Err(Error::idempotency(409, message).code("idempotency_key_in_use"));
    }
    let lifetime =
        i64::try_from(stripe.options.idempotency_key_lifetime.as_secs()).unwrap_or(i64::MAX);
    if let Some(first) = stripe.store().saved_responses.get(&key_use.key)
        && now() - first.created < lifetime
    {
        return key_use.replay(first).map(Claim::Replay);
    }
    in_use.insert(key_use.key.clone());
    Ok(Claim::Execute(KeyGuard { stripe: Arc::clone(stripe), key: key_use.key.clone() }))
}
