//! Idempotency keys (<https://docs.stripe.com/api/idempotent_requests>): the first answer to a key
//! is the answer to it for 24 hours, a refusal and a 500 included, once the endpoint had begun to
//! execute. The same key with other parameters is an error, and so is a second use while the first
//! is running.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError};

use super::response::Answer;
use crate::error::Error;
use crate::store::Reply;
use crate::transaction::Transaction;
use crate::{Stripe, now};

/// One use of a key.
pub(super) struct Use {
    key: String,
    path: String,
    /// Decoded and in order, so that the same parameters are the same however they were written.
    parameters: String,
}

impl Use {
    /// The use of `key` for a call.
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

    /// The answer as it is kept.
    pub(super) fn reply(self, answer: &Answer, transaction: &Transaction<'_>) -> Reply {
        Reply {
            key: self.key,
            path: self.path,
            parameters: self.parameters,
            status: answer.status,
            body: answer.body.clone(),
            request_id: transaction.cause.request_id.clone().unwrap_or_default(),
            created: transaction.now,
        }
    }
}

/// A key in use; free again when dropped.
pub(crate) struct Running {
    stripe: Arc<Stripe>,
    key: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stripe.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

impl Stripe {
    /// Begins a use: the key is held until [`Running`] is dropped, or there is a first answer
    /// already.
    pub(super) fn begin(self: &Arc<Self>, used: &Use) -> Result<Result<Running, Answer>, Error> {
        let mut running: std::sync::MutexGuard<'_, HashSet<String>> =
            self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if running.contains(&used.key) {
            let message = format!(
                "There is currently another in-progress request using this idempotent key (that probably means you submitted twice, and the other request is \
                 still going through): {}. Please try again later.",
                used.key
            );
            return Err(Error::idempotency(409, message).code("idempotency_key_in_use"));
        }
        let kept = i64::try_from(self.options.idempotency_keys_kept.as_secs()).unwrap_or(i64::MAX);
        let store = self.store();
        if let Some(first) =
            store.replies.get(&used.key).filter(|first| now() - first.created < kept)
        {
            let other = |what: String| {
                let message = format!(
                    "Keys for idempotent requests can only be used {what}. Try using a key other than '{}' if you meant to execute a different request.",
                    used.key
                );
                Err(Error::idempotency(400, message))
            };
            if first.path != used.path {
                return other(format!(
                    "for the same endpoint they were first used for ('{}' vs '{}')",
                    used.path, first.path
                ));
            }
            if first.parameters != used.parameters {
                return other("with the same parameters they were first used with".to_owned());
            }
            return Ok(Err(Answer {
                status: first.status,
                body: first.body.clone(),
                original: Some(first.request_id.clone()),
            }));
        }
        running.insert(used.key.clone());
        Ok(Ok(Running { stripe: Arc::clone(self), key: used.key.clone() }))
    }
}
