//! A call of an endpoint.

use serde_json::Value;

use super::auth::Key;
use crate::error::{Error, required};
use crate::objects::payment_intent::PaymentIntent;
use crate::params::Params;
use crate::transaction::Transaction;

/// The function that executes a call.
pub(super) type Endpoint = fn(&mut Transaction<'_>, &mut Call) -> Result<Value, Error>;

/// A call of an endpoint.
pub(super) struct Call {
    pub(super) key: Key,
    /// The id in the path. Empty when the path has none.
    pub(super) id: String,
    pub(super) params: Params,
}

impl Call {
    /// Checks that every parameter has been taken.
    ///
    /// # Errors
    /// 400 `parameter_unknown` when a parameter has not been taken.
    pub(super) fn finish_params(&mut self) -> Result<(), Error> {
        std::mem::take(&mut self.params).finish()
    }

    /// Checks that the caller may use the intent. A publishable key needs the client secret too.
    ///
    /// # Errors
    /// 400 `parameter_missing` when the client secret is required and absent, 400
    /// `payment_intent_invalid_parameter` when it is wrong.
    pub(super) fn authorize(
        &self,
        intent: &PaymentIntent,
        client_secret: Option<&str>,
    ) -> Result<(), Error> {
        if self.key == Key::Publishable {
            required(client_secret, "client_secret")?;
        }
        if client_secret.is_some_and(|secret| secret != intent.client_secret) {
            let message = "The client_secret provided does not match the client_secret associated \
                           with the PaymentIntent.";
            return Err(Error::invalid_request(message)
                .code("payment_intent_invalid_parameter")
                .param("client_secret"));
        }
        Ok(())
    }

    /// Returns the intent as the caller sees it.
    pub(super) fn show(&self, intent: &PaymentIntent) -> Value {
        match self.key {
            Key::Secret => intent.to_json(),
            Key::Publishable => intent.to_public_json(),
        }
    }
}
