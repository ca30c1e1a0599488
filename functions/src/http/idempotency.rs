//! `Idempotency-Key`: a key that the client chooses for a request. A request that is sent twice
//! with the same key is carried out once.

use shared::domain::ids::UserId;
use shared::domain::order::Idempotency;
use shared::error::{Error, Result};

use super::{Endpoint, Request};

/// The longest key (Stripe's limit, which clients know).
const MAX_KEY_LENGTH: usize = 255;

impl Request {
    /// Returns the key without surrounding spaces: 1 to 255 characters of printable ASCII.
    ///
    /// # Errors
    /// 422 for any other value.
    pub fn idempotency_key(&self) -> Result<Option<&str>> {
        let Some(value) = self.headers().get("idempotency-key") else { return Ok(None) };
        let key = value.to_str().ok().map(str::trim).filter(|key| {
            (1..=MAX_KEY_LENGTH).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic())
        });
        let invalid = || {
            Error::field(
                "Idempotency-Key",
                "invalid",
                "Use 1 to 255 visible ASCII characters, such as a UUID.",
            )
        };
        key.map(Some).ok_or_else(invalid)
    }

    /// Returns the key, bound to the caller, the endpoint and the request's path and body, or
    /// `None` if the request has no key.
    ///
    /// # Errors
    /// 422 for a key that is not valid.
    pub fn idempotency(&self, endpoint: &Endpoint, caller: &UserId) -> Result<Option<Idempotency>> {
        let key = self.idempotency_key()?;
        Ok(key.map(|key| {
            let content = [self.path().as_bytes(), self.body()];
            Idempotency::new(caller, &endpoint.to_string(), key, &content)
        }))
    }
}
